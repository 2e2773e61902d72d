"""How often a token may ask. The headers are those of the IETF's draft: ``RateLimit`` and ``RateLimit-Policy``."""

import logging
import time
from collections.abc import Iterator
from math import ceil
from typing import Any, NamedTuple

from flask import Response, g, request
from flask_limiter.util import get_remote_address
from limits import parse
from redis import RedisError
from werkzeug.exceptions import TooManyRequests

from webapp.extensions import limiter, settings
from webapp.security import is_api_request
from webapp.services.secret_keys import hash_key

log = logging.getLogger(__name__)

POLICY = "token"


class Count(NamedTuple):
    """How many requests of a window there may be, in how many seconds, and how many are left until when."""

    quota: int
    window: int
    left: int
    resets_at: float
    is_over: bool


def limit_blueprint(blueprint: Any) -> None:
    """Count the requests to a blueprint; those to all blueprints count together."""
    limiter.shared_limit(_read_quota, scope=POLICY, key_func=_token_key)(blueprint)


def _token_key() -> str:
    """The token's hash, because counters may be kept in Redis; who brings none is counted by their address."""
    key = request.headers.get("Authorization", "").partition(" ")[2].strip()
    return hash_key(key) if key else get_remote_address()


def count_unmatched() -> None:
    """Count a request below ``/api`` that no blueprint answers, with all others of its token."""
    if request.endpoint is None:
        _count(_token_key())


def count_refused() -> None:
    """Count by its address a request whose token does not work: else keys could be tried freely."""
    if request.authorization is not None:
        _count(get_remote_address())


def _count(key: str) -> None:
    """Count one request and raise TooManyRequests when there were too many; ``g.api_count`` keeps what is left."""
    item = parse(_read_quota())
    try:
        is_over = not limiter.limiter.hit(item, key, POLICY)
        resets_at, left = limiter.limiter.get_window_stats(item, key, POLICY)
    except RedisError:  # the same as where a blueprint answers
        log.debug("A request cannot be counted.", exc_info=True)
        return
    g.api_count = Count(item.amount, item.get_expiry(), left, resets_at, is_over)
    if is_over:
        raise TooManyRequests


def _read_quota() -> str:
    return f"{settings().api_requests_per_minute} per minute"


def add_headers(response: Response) -> Response:
    """Say how much is left, and after 429 how long to wait."""
    try:
        for count in _list_counts():
            wait = max(1, ceil(count.resets_at - time.time()))
            if count.is_over:
                response.headers["Retry-After"] = str(wait)
            if is_api_request():
                response.headers["RateLimit-Policy"] = f'"{POLICY}";q={count.quota};w={count.window}'
                response.headers["RateLimit"] = f'"{POLICY}";r={count.left};t={wait}'
    except RedisError:  # no answer fails because its counter cannot be read
        log.debug("The counters of requests cannot be read.", exc_info=True)
    return response


def _list_counts() -> Iterator[Count]:
    """Yield what counted the request; the one that matters most comes last."""
    for found in limiter.current_limits:
        limit, (resets_at, left) = found.limit, found.window
        yield Count(limit.amount, limit.get_expiry(), left, resets_at, found.breached)
    if (own := g.get("api_count")) is not None:
        yield own
