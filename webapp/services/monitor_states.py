"""The states that a person sees, read out of a job's row and the database's clock."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from webapp.extensions import db, settings
from webapp.models import FINAL_STATUSES, TaskNotification
from webapp.models.clock import db_now
from webapp.services.monitor_types import JobRow

STUCK_AFTER_LEASES = 5  # so many leases without progress, while the heartbeat goes on, is no slow batch


def get_now() -> datetime:
    """Return the database's time: what leases are measured by."""
    return db.session.scalars(select(db_now(0))).one()


def where_state(state: str) -> ColumnElement[bool]:
    """Return the condition of a shown state. The states divide all jobs among them."""
    job = TaskNotification
    if state in FINAL_STATUSES:
        return job.status == state
    conditions: dict[str, Any] = {
        "scheduled": and_(job.status == "pending", job.attempt == 0, job.run_after > db_now(0)),
        "pending": and_(job.status == "pending", job.attempt == 0, job.run_after <= db_now(0)),
        "retrying": and_(job.status == "pending", job.attempt > 0),
        "processing": and_(job.status == "processing", job.lease_until >= db_now(0)),
        "stalled": and_(job.status == "processing", job.lease_until < db_now(0)),
    }
    condition: ColumnElement[bool] = conditions[state]
    return condition


def find_state(job: TaskNotification, now: datetime) -> str:
    """Return the state that a person sees: the same as ``where_state`` finds it under."""
    if job.status == "pending":
        if job.attempt > 0:
            return "retrying"
        return "scheduled" if job.run_after > now else "pending"
    if job.status == "processing" and job.lease_until is not None and job.lease_until < now:
        return "stalled"
    return job.status


def is_stuck(job: TaskNotification, now: datetime) -> bool:
    """Whether the process lives and the work does not move."""
    if job.status != "processing" or job.progress_at is None or job.heartbeat_at is None:
        return False
    lease = timedelta(seconds=settings().lease_seconds)
    return now - job.progress_at > STUCK_AFTER_LEASES * lease and now - job.heartbeat_at <= lease


def build_row(job: TaskNotification, now: datetime) -> JobRow:
    """Return a job with what only the clock tells."""
    wait = run = None
    if job.started_at is not None:
        wait = max(0.0, (job.started_at - job.created_at).total_seconds())
        run = max(0.0, ((job.completed_at or now) - job.started_at).total_seconds())
    elif not job.is_final:
        wait = max(0.0, (now - job.created_at).total_seconds())
    return JobRow(job, find_state(job, now), is_stuck(job, now), wait, run)
