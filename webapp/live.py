"""Live events: their names, their audiences, and how one is published.

A row in ``event`` is the durable truth; sockets only say "look again". The row is written as the
last statement before the commit of the change that it tells of, on PostgreSQL under one advisory
lock, so that ids follow the order of commits and a reader's cursor misses nothing.
"""

import logging
import threading
from typing import Any, ClassVar

import redis
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from webapp.database import after_commit, before_commit
from webapp.extensions import settings
from webapp.models import Event, TaskNotification

log = logging.getLogger(__name__)

JOB_PROGRESS = "job_progress"
JOB_COMPLETED = "job_completed"
JOB_FAILED = "job_failed"
JOB_RETRYING = "job_retrying"
JOB_CANCELLED = "job_cancelled"
METRICS_UPDATED = "metrics_updated"
STOCK_LOW = "stock_low"
JOBS_CHANGED = "jobs_changed"
LOGS_ADDED = "logs_added"
ACCESS_CHANGED = "access_changed"
EVENT_NAMES = (
    JOB_PROGRESS,
    JOB_COMPLETED,
    JOB_FAILED,
    JOB_RETRYING,
    JOB_CANCELLED,
    METRICS_UPDATED,
    STOCK_LOW,
    JOBS_CHANGED,
    LOGS_ADDED,
    ACCESS_CHANGED,
)

EVERYONE = "all"
NUDGE_CHANNEL = "stockroom:events"
_COMMIT_ORDER_LOCK = 0x53746F636B  # "Stock": any number that nobody else locks


def user_audience(user_id: int) -> str:
    """The room of one user's browsers."""
    return f"user:{user_id}"


def session_audience(session_id: int) -> str:
    """The room of one browser's open pages."""
    return f"session:{session_id}"


def role_audience(role: str) -> str:
    """The room of everyone of a role."""
    return f"role:{role}"


def publish(session: Session, audience: str, name: str, data: dict[str, Any]) -> None:
    """Add an event to the caller's write transaction. ``data``: ids, numbers and short text only."""
    if "events" not in session.info:
        session.info["events"] = []
        before_commit(session, _write_events)
    session.info["events"].append({"audience": audience, "name": name, "data": data})


def publish_job(session: Session, job: TaskNotification, name: str) -> None:
    """Tell the job's user (or the administrators, of a system job) to look at the job again.

    Every job's change is also ``jobs_changed`` for the administrators, who watch without being told of it
    in toasts.
    """
    data = {
        "task_id": job.task_id,
        "task_type": job.task_type,
        "model_name": job.model_name,
        "status": job.status,
        "processed": job.processed,
        "total": job.total,
    }
    audience = user_audience(job.user_id) if job.user_id is not None else role_audience("admin")
    publish(session, role_audience("admin"), JOBS_CHANGED, data)
    publish(session, audience, name, data)


def _write_events(session: Session) -> None:
    rows = session.info.pop("events", [])
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _COMMIT_ORDER_LOCK})
    session.execute(insert(Event), rows)
    if url := settings().redis_url:
        after_commit(session, lambda: _Nudge.of(url).ring())


class _Nudge:
    """Wakes event readers through Redis, on a thread of its own: a frozen Redis delays nobody."""

    _made: ClassVar[dict[str, "_Nudge"]] = {}

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
        self._wanted = threading.Event()
        threading.Thread(target=self._run, name="event-nudge", daemon=True).start()

    @classmethod
    def of(cls, url: str) -> "_Nudge":
        """Return the nudge of this process for that Redis."""
        if url not in cls._made:
            cls._made[url] = cls(url)
        return cls._made[url]

    @classmethod
    def forget(cls) -> None:
        """Drop what a forked child inherited: threads do not survive a fork."""
        cls._made = {}

    def ring(self) -> None:
        """Ask for one nudge soon; many asks in a moment are one."""
        self._wanted.set()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                self._client.publish(NUDGE_CHANNEL, b"")
            except redis.RedisError as error:
                log.debug("No nudge through Redis (%s); readers poll.", error)


forget_nudges = _Nudge.forget
