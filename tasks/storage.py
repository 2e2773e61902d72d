"""Where messages wait: Redis, or a file of SQLite. Neither holds anything that would be missed."""

import json
from typing import Any

from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import RedisStorage, SqliteStorage
from redis import ConnectionPool

from config import Settings

# Longer than the second for which a consumer waits at an empty queue; shorter than what a stop may take.
REDIS_TIMEOUT_SECONDS = 3


class JsonSerializer(Serializer):
    """Messages as JSON: whoever can write to the queue can name a task and an id, and nothing else."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Any:
        values = json.loads(data)
        return Message(*values) if isinstance(values, list) else values


class HonestRedisStorage(RedisStorage):
    """A queue in Redis that tells an empty one from one that does not answer: Huey's says "empty" to both."""

    def dequeue(self) -> Any:
        """Return the next message, None when there is none; raise when Redis is frozen or away."""
        found = self.conn.brpop(self.queue_key, timeout=self.read_timeout)
        return found[1] if found else None


def build_storage(settings: Settings) -> Any:
    """Return the storage of these settings."""
    if not settings.redis_url:
        return SqliteStorage("stockroom", filename=str(settings.data_dir / "queue.db"), timeout=5)
    pool = ConnectionPool.from_url(
        settings.redis_url, socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=1
    )
    return HonestRedisStorage("stockroom", connection_pool=pool)
