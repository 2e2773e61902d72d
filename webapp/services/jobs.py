"""Jobs as people and services see them: ask for one, look at it, cancel it, try it again.

How a worker carries one out is in ``webapp.services.job_protocol``.
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Update, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp import live
from webapp.database import after_commit, write_transaction
from webapp.errors import Conflict, NotFound
from webapp.extensions import db, settings
from webapp.models import JobAttempt, TaskNotification, User
from webapp.models.base import utc_now
from webapp.models.clock import db_now
from webapp.resources.base import N_
from webapp.services import job_versions
from webapp.services.job_audit import audit_jobs
from webapp.services.signals import job_due
from webapp.version import get_version

log = logging.getLogger(__name__)

SYSTEM_TASK_TYPES = frozenset({"metrics", "maintenance", "prune"})


def create_job(
    session: Session,
    task_type: str,
    *,
    actor: User | None,
    model_name: str | None = None,
    file_format: str | None = None,
    params: dict[str, Any] | None = None,
    data_import_id: int | None = None,
    queue_key: str | None = None,
    delay: float = 0,
    claimed_by: str | None = None,
) -> TaskNotification:
    """Add a job to the caller's write transaction and ring for it after the commit.

    While a job with the same ``queue_key`` is active that one is returned instead: a double click
    asks once. ``delay`` is in seconds. ``claimed_by`` inserts it as already running for that owner,
    so that no consumer takes it.
    """
    if queue_key and (active := find_active(session, queue_key)):
        return active
    values: dict[str, Any] = {
        "task_id": str(uuid.uuid4()),
        "task_type": task_type,
        "model_name": model_name,
        "file_format": file_format,
        "params": params or {},
        "user_id": actor.id if actor else None,
        "data_import_id": data_import_id,
        "queue_key": queue_key,
        # Who runs a job here and now waits for its end; nobody else is to try again a minute later.
        "max_attempts": 1 if claimed_by else settings().max_retries + 1,
        "run_after": db_now(delay),
        "dispatched_at": None if delay else db_now(0),
        "is_read": actor is None,
        "code_version": get_version(),
        "body_version": job_versions.get_body_version(task_type),
    }
    if claimed_by:
        values |= claim_values(claimed_by) | {"token": 1, "attempt": 1, "started_at": db_now(0)}
    try:
        with session.begin_nested():
            job_id = session.scalar(insert(TaskNotification).values(values).returning(TaskNotification.id))
    except IntegrityError:
        active = find_active(session, queue_key) if queue_key else None
        if active is None:
            raise
        return active
    job = session.get_one(TaskNotification, job_id)
    log.log(log_level(actor), "Job %s (%s) created.", job.task_id, task_type)
    if claimed_by:
        open_attempt(session, job)
    elif not delay:
        ring_after_commit(session, job)
    return job


def log_level(user: object | None) -> int:
    """What the house does for itself every minute is no news."""
    return logging.DEBUG if user is None else logging.INFO


def claim_values(owner: str) -> dict[str, Any]:
    """The columns that make a job somebody's: its state and its lease."""
    return {
        "status": "processing",
        "lease_owner": owner,
        "lease_until": db_now(settings().lease_seconds),
        "heartbeat_at": db_now(0),
        "progress_at": db_now(0),
        "code_version": get_version(),
    }


def open_attempt(session: Session, job: TaskNotification) -> None:
    """Start the record of one try."""
    session.execute(
        insert(JobAttempt).values(
            job_id=job.id, token=job.token, attempt=job.attempt, owner=job.lease_owner, started_at=db_now(0)
        )
    )


def ring_after_commit(session: Session, job: TaskNotification) -> None:
    """Tell the queue, once the row is safe, that the job is due. Losing this is harmless: see the relay."""
    job_id, task_id, task_type = job.id, job.task_id, job.task_type

    def ring() -> None:
        job_due.send(task_type, job_id=job_id, task_id=task_id)

    after_commit(session, ring)


def make_due(session: Session, job: TaskNotification) -> None:
    """Let a job that waits for its time begin at once."""
    job.run_after = job.dispatched_at = session.scalars(select(db_now(0))).one()
    job.state_version += 1
    session.flush()
    ring_after_commit(session, job)
    live.publish_job(session, job, live.JOB_PROGRESS)


def find_active(session: Session, queue_key: str) -> TaskNotification | None:
    """Return the job with this key that waits or runs."""
    return session.scalar(
        select(TaskNotification).where(
            TaskNotification.queue_key == queue_key, TaskNotification.status.in_(("pending", "processing"))
        )
    )


def get_job(actor: User, task_id: str) -> TaskNotification:
    """Return a job that the actor may see: their own, or any for an administrator. NotFound otherwise."""
    job = db.session.scalar(visible_to(actor).where(TaskNotification.task_id == task_id))
    if job is None:
        raise NotFound(task_id)
    return job


def visible_to(actor: User) -> Select[TaskNotification]:
    """Return the query of the jobs that the actor may see."""
    query = select(TaskNotification)
    return query if actor.is_admin else query.where(TaskNotification.user_id == actor.id)


def list_jobs(
    actor: User, *, before_id: int | None = None, limit: int = 50, only_unread: bool = False
) -> Sequence[TaskNotification]:
    """Return the actor's own jobs, newest first, from below ``before_id``."""
    query = select(TaskNotification).where(TaskNotification.user_id == actor.id)
    if before_id is not None:
        query = query.where(TaskNotification.id < before_id)
    if only_unread:
        query = query.where(_is_unread())
    return db.session.scalars(query.order_by(TaskNotification.id.desc()).limit(limit)).all()


def list_notifications(
    actor: User, *, before_id: int | None = None, limit: int = 50
) -> Sequence[TaskNotification]:
    """Return the actor's ended jobs, newest first: one notification each."""
    query = select(TaskNotification).where(TaskNotification.user_id == actor.id, _is_notable())
    if before_id is not None:
        query = query.where(TaskNotification.id < before_id)
    return db.session.scalars(query.order_by(TaskNotification.id.desc()).limit(limit)).all()


def count_unread(actor: User) -> int:
    """Return how many of the actor's ended jobs were not looked at yet."""
    return db.session.scalar(select(count_of_unread(actor))) or 0


def count_of_unread(actor: User) -> Any:
    """Return the subquery that counts the actor's ended jobs which were not looked at yet."""
    query = select(func.count()).select_from(TaskNotification)
    return query.where(TaskNotification.user_id == actor.id, _is_unread()).scalar_subquery()


def _is_notable() -> Any:
    # An inspection leads straight on to the mapping page; only its failure is news.
    ended = TaskNotification.status.in_(("completed", "failed", "cancelled"))
    return ended & or_(TaskNotification.task_type != "import_inspect", TaskNotification.status == "failed")


def _is_unread() -> Any:
    return _is_notable() & TaskNotification.is_read.is_(False)


def read_job(actor: User, task_id: str) -> None:
    """Mark the notification of a job as read, if it is the actor's own and has ended."""
    get_job(actor, task_id)
    with write_transaction() as session:
        session.execute(
            update(TaskNotification)
            .where(TaskNotification.task_id == task_id, TaskNotification.user_id == actor.id, _is_unread())
            .values(is_read=True)
            .execution_options(synchronize_session=False)
        )


def read_all(actor: User) -> None:
    """Mark all of the actor's notifications as read."""
    with write_transaction() as session:
        session.execute(
            update(TaskNotification)
            .where(TaskNotification.user_id == actor.id, _is_unread())
            .values(is_read=True)
            .execution_options(synchronize_session=False)
        )


def cancel_job(actor: User, task_id: str) -> TaskNotification:
    """Cancel at once what waits; ask what runs to stop at its next batch. Conflict when it has ended."""
    with write_transaction() as session:
        get_job(actor, task_id)
        if _count(session.execute(end_waiting(TaskNotification.task_id == task_id, actor))):
            session.expire_all()
            job = get_job(actor, task_id)
            live.publish_job(session, job, live.JOB_CANCELLED)
            audit_jobs(session, actor, "cancel", [job])
            return job
        asked = session.execute(
            update(TaskNotification)
            .where(TaskNotification.task_id == task_id, TaskNotification.status == "processing")
            .values(cancel_requested_at=db_now(0), state_version=TaskNotification.state_version + 1)
            .execution_options(synchronize_session=False)
        )
        if not _count(asked):
            raise Conflict(N_("This job has already ended."))
        session.expire_all()
        job = get_job(actor, task_id)
        live.publish_job(session, job, live.JOB_PROGRESS)
        audit_jobs(session, actor, "cancel", [job])
        return job


def end_waiting(which: ColumnElement[bool], actor: User) -> Update:
    """Return the statement that cancels jobs which wait. It is news to an owner who did not do it."""
    owner = TaskNotification.user_id
    return (
        update(TaskNotification)
        .where(which, TaskNotification.status == "pending")
        .values(
            status="cancelled",
            completed_at=db_now(0),
            failure_kind="cancelled",
            is_read=or_(owner.is_(None), owner == actor.id),
            state_version=TaskNotification.state_version + 1,
        )
        .execution_options(synchronize_session=False)
    )


def retry_job(actor: User, task_id: str) -> TaskNotification:
    """Give a failed or cancelled job a fresh set of tries.

    Conflict when it is in another state, or when the same work was asked for again meanwhile.
    """
    with write_transaction() as session:
        get_job(actor, task_id)
        try:
            with session.begin_nested():
                result = session.execute(fresh_tries(TaskNotification.task_id == task_id))
        except IntegrityError:  # its queue_key is active
            raise Conflict(N_("The same was asked for again meanwhile, and is waiting or running.")) from None
        if not _count(result):
            raise Conflict(N_("Only a job that failed or was cancelled can be tried again."))
        session.expire_all()
        job = get_job(actor, task_id)
        ring_after_commit(session, job)
        live.publish_job(session, job, live.JOB_PROGRESS)
        audit_jobs(session, actor, "retry", [job])
        return job


def find_try_start(job: TaskNotification) -> datetime:
    """Return when the present try of a job began: one without a checkpoint began at its first row then."""
    query = select(JobAttempt.started_at).where(JobAttempt.job_id == job.id, JobAttempt.token == job.token)
    return db.session.scalar(query) or job.started_at or utc_now()


def fresh_tries(which: ColumnElement[bool]) -> Update:
    """Return the statement that makes failed and cancelled jobs wait again, as if they were new."""
    return (
        update(TaskNotification)
        .where(which, TaskNotification.status.in_(("failed", "cancelled")))
        .values(
            status="pending",
            attempt=0,
            crashes=0,
            run_after=db_now(0),
            dispatched_at=db_now(0),
            cancel_requested_at=None,
            completed_at=None,
            error_message=None,
            error_phrases=None,
            traceback=None,
            failure_kind=None,
            error_fingerprint=None,
            is_read=False,
            state_version=TaskNotification.state_version + 1,
        )
        .execution_options(synchronize_session=False)
    )


def _count(result: Any) -> int:
    return int(result.rowcount)
