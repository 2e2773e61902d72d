"""Who did what to which job: kept in the same table as the changes of records."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from webapp.extensions import db
from webapp.models import Change, TaskNotification, User
from webapp.models.base import utc_now
from webapp.services.monitor_types import Deed

JOBS = "jobs"  # the resource under which the audit keeps what was done to jobs


def audit_jobs(session: Session, actor: User, action: str, jobs: Iterable[TaskNotification]) -> None:
    """Record an action on jobs, in the transaction that does it."""
    told = [(job.id, {"task_id": job.task_id, "task_type": job.task_type}) for job in jobs]
    _write(session, actor, JOBS, action, told)


def list_deeds(job: TaskNotification) -> list[Deed]:
    """Return what people did to a job, oldest first."""
    query = (
        select(Change.at, User.email, Change.action)
        .join(User, User.id == Change.actor_id)
        .where(Change.resource == JOBS, Change.record_id == job.id)
        .order_by(Change.id)
    )
    return [Deed(*row) for row in db.session.execute(query)]


def audit_schedule(session: Session, actor: User, action: str, number: int, name: str) -> None:
    """Record an action on a schedule."""
    _write(session, actor, "schedules", action, [(number, {"name": name})])


def _write(
    session: Session, actor: User, resource: str, action: str, told: list[tuple[int, dict[str, Any]]]
) -> None:
    rows = [
        {
            "at": utc_now(),
            "actor_id": actor.id,
            "source": "monitor",
            "resource": resource,
            "record_id": record_id,
            "action": action,
            "after": after,
        }
        for record_id, after in told
    ]
    if rows:
        session.execute(insert(Change), rows)
