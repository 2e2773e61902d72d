"""Periodic work: once for each scheduled slot, however many consumers there are."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import PeriodicSlot, TaskNotification
from webapp.services import jobs
from webapp.services.job_protocol import JobRun, owner_name

METRICS_EVERY = timedelta(minutes=5)


def floor_slot(moment: datetime, every: timedelta) -> datetime:
    """Return the scheduled moment that ``moment`` belongs to."""
    seconds = every.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)


def claim_slot(session: Session, name: str, slot: datetime) -> bool:
    """Whether this caller is the one who runs the slot: only who inserts the row is."""
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(PeriodicSlot).values(name=name, slot=slot).on_conflict_do_nothing()
    # Asked back, not counted: on PostgreSQL the ORM's insert does not know its row count.
    return session.scalar(statement.returning(PeriodicSlot.name)) is not None


def start_slot(name: str, slot: datetime, task_type: str, should_stop: Any) -> JobRun | None:
    """Claim a slot and create its job, already running here; None when somebody else has the slot."""
    if db.session.get(PeriodicSlot, (name, slot)) is not None:
        db.session.rollback()
        return None
    with write_transaction() as session:
        queue_key = f"{task_type}:running"
        if not claim_slot(session, name, slot) or jobs.find_active(session, queue_key):
            return None  # somebody else has the slot, or the refresh before this one still runs
        job = jobs.create_job(session, task_type, actor=None, queue_key=queue_key, claimed_by=owner_name())
        if job.lease_owner != owner_name():
            return None  # another slot's was quicker
        return JobRun(job, should_stop)


def prune_system_jobs(now: datetime, *, keep: timedelta = timedelta(days=1), limit: int = 500) -> int:
    """Delete old ended system jobs and old slots in one small transaction; return how many jobs went."""
    with write_transaction() as session:
        old = session.scalars(
            select(TaskNotification.id)
            .where(
                TaskNotification.user_id.is_(None),
                TaskNotification.task_type.in_(jobs.SYSTEM_TASK_TYPES),
                TaskNotification.completed_at < now - keep,
            )
            .limit(limit)
        ).all()
        session.execute(delete(TaskNotification).where(TaskNotification.id.in_(old)))
        session.execute(delete(PeriodicSlot).where(PeriodicSlot.slot < now - keep))
        return len(old)
