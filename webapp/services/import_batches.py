"""How many rows a batch holds: so many that whoever wants to write meanwhile hardly notices.

On SQLite everybody waits for the one write lock; on PostgreSQL only who moves the same products does.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from webapp.extensions import db, settings
from webapp.services.job_protocol import JobRun

FIRST_BATCH_ROWS = 200
LARGEST_BATCH_ROWS = 4_000
POSTGRESQL_PATIENCE = 2.5  # so many times as long may a batch take there

Item = TypeVar("Item")


class BatchSize:
    """The size of the next batch. The last try of a job that kills its workers goes one by one."""

    def __init__(self, run: JobRun) -> None:
        self.is_fixed = run.crashes >= settings().max_crashes - 1
        self.rows = 1 if self.is_fixed else FIRST_BATCH_ROWS
        patience = POSTGRESQL_PATIENCE if db.engine.dialect.name == "postgresql" else 1
        self.seconds = settings().batch_seconds * patience

    def cut(self, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
        """Yield the items in batches, each of the size that counts when it is asked for."""
        start = 0
        while start < len(items):
            batch = items[start : start + self.rows]
            start += len(batch)
            yield batch

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Adapt the size to the time that the block takes: no page waits for an import."""
        started = time.monotonic()
        yield
        seconds = time.monotonic() - started
        if self.is_fixed:
            return
        if seconds > self.seconds:
            self.rows = max(1, self.rows // 2)
        elif seconds < self.seconds / 2:
            self.rows = min(LARGEST_BATCH_ROWS, self.rows * 2)
