"""The copy of the metrics in Redis: a convenience, whose absence is never anybody's error."""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

TTL_SECONDS = 600
TIMEOUT_SECONDS = 0.5
PAUSE_SECONDS = 5.0

log = logging.getLogger(__name__)
T = TypeVar("T")


class RedisMirror:
    """Reads and writes the metrics in one Redis. After a failure it is left alone for a few seconds.

    The pause keeps pages fast while Redis is down: only one of many pays the time-out.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        # The client would otherwise try three times, with pauses between.
        retry = Retry(NoBackoff(), 0)
        timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
        self._redis = Redis.from_url(url, retry=retry, **timeouts)
        self._clock = clock
        self._closed_until = float("-inf")
        self._is_down = False

    def get(self, keys: Sequence[str]) -> dict[str, Any] | None:
        """Return the JSON under each of the keys; None when one is missing or Redis is away."""
        texts = self._try(lambda: self._redis.mget(keys))
        if texts is None:
            return None
        try:
            values = {key: json.loads(text or "{}") for key, text in zip(keys, texts, strict=True)}
        except ValueError:
            return None  # somebody else wrote there; the next refresh puts it right
        return values if all("computed_at" in value for value in values.values()) else None

    def put(self, values: Mapping[str, Any]) -> None:
        """Write all values at once, each for ``TTL_SECONDS``."""
        self._try(lambda: self._write(values))

    def _write(self, values: Mapping[str, Any]) -> None:
        with self._redis.pipeline() as pipeline:
            for key, value in values.items():
                pipeline.set(key, json.dumps(value), ex=TTL_SECONDS)
            pipeline.execute()

    def _try(self, action: Callable[[], T]) -> T | None:
        if self._clock() < self._closed_until:
            return None
        try:
            result = action()
        except (RedisError, OSError) as error:
            self._closed_until = self._clock() + PAUSE_SECONDS
            if not self._is_down:
                log.warning("Redis does not answer (%s); metrics come from the database.", error)
            self._is_down = True
            return None
        if self._is_down:
            log.info("Redis answers again.")
        self._is_down = False
        return result
