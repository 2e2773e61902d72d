"""The log lines of workers, kept for the monitor: stored off-thread, capped, and never in a job's way."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from webapp import live, logs
from webapp.database import write_transaction
from webapp.extensions import db, settings
from webapp.models import Consumer, JobLog
from webapp.models.base import utc_now
from webapp.services.traces import storable

STORE_SECONDS = 0.5
ANNOUNCE_SECONDS = 1.0
QUEUE_LINES = 5_000  # of lines that wait for the database; what comes on top is dropped and counted
BATCH_LINES = 500
LONGEST_MESSAGE = 4_000
LONGEST_EXCEPTION = 16_000
SWEEP_LINES = 5_000
CAP_EVERY_LINES = (
    5_000  # so often a process sees to the cap: a chatty day does not wait for the nightly sweep
)


class StoreHandler(logging.Handler):
    """Keeps lines in memory for a thread of its own, which writes them to the table in batches."""

    def __init__(self, app: Flask, consumer: str) -> None:
        super().__init__()
        self.dropped = 0
        self._app = app
        self._consumer = consumer
        self._waiting: deque[dict[str, Any]] = deque()
        self._ending = threading.Event()
        self._announced_at = 0.0
        self._stored = 0  # lines since this process last saw to the cap
        self._told: set[str] | None = None  # the jobs of lines that were not announced yet
        self._thread = threading.Thread(target=self._run, name="log-store", daemon=True)

    def start(self) -> None:
        """Begin to store; call it in the process whose lines they are, after a fork."""
        self._thread.start()

    def stop(self) -> None:
        """Store what waits and end."""
        self._ending.set()
        self._thread.join(timeout=3)

    def emit(self, record: logging.LogRecord) -> None:
        """Take one line, in microseconds and without a lock of the database."""
        if record.thread == self._thread.ident:
            return  # what storing says about itself would never end
        if len(self._waiting) >= QUEUE_LINES:
            self.dropped += 1
            return
        try:
            self._waiting.append(self._describe(record))
        except Exception:  # noqa: BLE001 - an odd argument of a log call must not end a job
            self.handleError(record)

    def _describe(self, record: logging.LogRecord) -> dict[str, Any]:
        about = logs.find_job()
        formatter = self.formatter or logging.Formatter()
        trace = formatter.formatException(record.exc_info) if record.exc_info else None
        return {
            "job_id": about.id if about else None,
            "task_id": about.task_id if about else None,
            "consumer": self._consumer,
            "at": logs.moment_of(record),
            "level": record.levelname,
            "logger": record.name[:100],
            "message": storable(record.getMessage())[:LONGEST_MESSAGE],
            "exception": storable(trace)[-LONGEST_EXCEPTION:] if trace else None,
        }

    def _run(self) -> None:
        with self._app.app_context():
            while not self._ending.wait(STORE_SECONDS):
                self._store()
            self._announced_at = 0.0
            self._store()

    def _store(self) -> None:
        lines = list(self._take())
        if not lines and not self._must_announce():
            return
        try:
            self._write(lines)
            self._see_to_cap(len(lines))
        except SQLAlchemyError:
            self.dropped += len(lines)  # the database is away: said on standard output by everybody else
        finally:
            db.session.remove()

    def _take(self) -> Iterator[dict[str, Any]]:
        while self._waiting:
            yield self._waiting.popleft()

    def _write(self, lines: Sequence[dict[str, Any]]) -> None:
        told = (self._told or set()) | {line.pop("task_id") or "" for line in lines}
        with write_transaction() as session:
            for begin in range(0, len(lines), BATCH_LINES):
                session.execute(insert(JobLog), lines[begin : begin + BATCH_LINES])
            if self.dropped:
                values = {"dropped_log_lines": self.dropped}
                session.execute(update(Consumer).where(Consumer.name == self._consumer).values(values))
            self._told = told
            if self._must_announce():
                data = {"task_ids": sorted(told - {""})[:20]}
                live.publish(session, live.role_audience("admin"), live.LOGS_ADDED, data)
                self._announced_at, self._told = time.monotonic(), None

    def _see_to_cap(self, added: int) -> None:
        self._stored += added
        if self._stored >= CAP_EVERY_LINES:
            self._stored = 0
            with suppress(SQLAlchemyError):  # these lines are stored; the next ones, or the night, see to it
                prune_logs(utc_now())

    def _must_announce(self) -> bool:
        """Lines are announced once a second; those that were stored in between, a second later."""
        return self._told is not None and time.monotonic() - self._announced_at >= ANNOUNCE_SECONDS


def prune_logs(now: datetime) -> int:
    """Delete lines that are too old or too many, a few thousand in a transaction; return how many."""
    config = settings()
    newest = db.session.scalar(select(func.max(JobLog.id))) or 0
    before = now - timedelta(days=config.log_keep_days)
    old = (JobLog.at < before) | (JobLog.id <= newest - config.log_keep_rows)
    removed = 0
    while True:
        with write_transaction() as session:
            ids = session.scalars(select(JobLog.id).where(old).order_by(JobLog.id).limit(SWEEP_LINES)).all()
            session.execute(delete(JobLog).where(JobLog.id.in_(ids)))
        removed += len(ids)
        if len(ids) < SWEEP_LINES:
            return removed
