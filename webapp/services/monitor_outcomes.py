"""How the last jobs of a kind ended: for a schedule, and beside one job."""

from datetime import datetime, timedelta

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import TaskNotification
from webapp.services.monitor_types import Outcome


def list_outcomes(task_type: str, now: datetime, limit: int) -> list[Outcome]:
    """Return the newest jobs of a kind, oldest first."""
    job = TaskNotification
    query = select(job).where(job.task_type == task_type).order_by(job.id.desc()).limit(limit)
    found = db.session.scalars(query).all()
    return [Outcome(one.task_id, one.status, one.created_at, _measure(one, now)) for one in reversed(found)]


def _measure(job: TaskNotification, now: datetime) -> float | None:
    if job.started_at is None:
        return None
    return max(timedelta(), (job.completed_at or now) - job.started_at).total_seconds()
