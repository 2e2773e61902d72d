"""Periodic work: once for each scheduled slot, however many consumers there are."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import JobLog, PeriodicSlot, Schedule, TaskNotification
from webapp.resources.base import N_
from webapp.services import jobs
from webapp.services.job_protocol import JobRun, owner_name
from webapp.services.upsert import upsert

METRICS_EVERY = timedelta(minutes=5)
SHORT_LIVED = frozenset({"metrics", "maintenance"})  # so frequent that a day of them is enough
SYSTEM_JOBS_ARE_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Periodic:
    """One scheduled task. ``offset`` is how long after the start of each interval it is due."""

    name: str
    task_type: str
    every: timedelta
    expression: str  # as crontab writes it, in UTC
    words: str
    offset: timedelta = timedelta()

    @property
    def queue_key(self) -> str:
        """What keeps two of its runs from going on at the same time."""
        return f"{self.task_type}:running"

    def find_slot(self, now: datetime) -> datetime:
        """Return the newest scheduled moment that is not after ``now``."""
        return floor_slot(now - self.offset, self.every) + self.offset


SCHEDULES = {
    schedule.name: schedule
    for schedule in (
        Periodic("metrics", "metrics", METRICS_EVERY, "*/5 * * * *", N_("Every 5 minutes")),
        Periodic("maintenance", "maintenance", timedelta(minutes=1), "* * * * *", N_("Every minute")),
        Periodic(
            "prune",
            "prune",
            timedelta(days=1),
            "30 3 * * *",
            N_("Every day at 03:30 UTC"),
            timedelta(hours=3, minutes=30),
        ),
    )
}


def floor_slot(moment: datetime, every: timedelta) -> datetime:
    """Return the scheduled moment that ``moment`` belongs to."""
    seconds = every.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)


def is_enabled(name: str) -> bool:
    """Whether an operator lets a schedule run; without a word of theirs it does."""
    row = db.session.get(Schedule, name, populate_existing=True)
    return row is None or row.is_enabled


def claim_slot(session: Session, name: str, slot: datetime) -> bool:
    """Whether this caller is the one who runs the slot: only who inserts the row is."""
    statement = upsert(session, PeriodicSlot).values(name=name, slot=slot).on_conflict_do_nothing()
    # Asked back, not counted: on PostgreSQL the ORM's insert does not know its row count.
    return session.scalar(statement.returning(PeriodicSlot.name)) is not None


def start_slot(name: str, slot: datetime, task_type: str, should_stop: Any) -> JobRun | None:
    """Claim a slot and create its job, already running here; None when somebody else has the slot.

    The slots of a disabled schedule are claimed by nobody.
    """
    if db.session.get(PeriodicSlot, (name, slot)) is not None or not is_enabled(name):
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


def prune_system_jobs(now: datetime, *, keep: timedelta = SYSTEM_JOBS_ARE_KEPT, limit: int = 500) -> int:
    """Delete old ended system jobs and old slots in one small transaction; return how many jobs went."""
    with write_transaction() as session:
        old = session.scalars(
            select(TaskNotification.id)
            .where(
                TaskNotification.user_id.is_(None),
                TaskNotification.task_type.in_(SHORT_LIVED),
                TaskNotification.completed_at < now - keep,
            )
            .limit(limit)
        ).all()
        session.execute(delete(JobLog).where(JobLog.job_id.in_(old)))
        session.execute(delete(TaskNotification).where(TaskNotification.id.in_(old)))
        # A day's slot is looked at for a day: kept twice as long, it cannot be run twice.
        session.execute(delete(PeriodicSlot).where(PeriodicSlot.slot < now - 2 * keep))
        return len(old)
