"""The same action on many jobs: a hundred in a transaction, each only if its state still allows it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from sqlalchemy import Delete, Update, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp import live
from webapp.database import after_commit, write_transaction
from webapp.errors import Conflict
from webapp.extensions import db
from webapp.models import FINAL_STATUSES, JobLog, TaskNotification, User
from webapp.models.clock import db_now
from webapp.resources.base import N_
from webapp.services import files, jobs
from webapp.services.job_audit import audit_jobs
from webapp.services.monitor_lists import COUNT_CAP, select_jobs
from webapp.services.monitor_types import ActionResult, JobFilter

CHUNK = 100

# Does one transaction's part of an action and returns how many jobs it changed.
Step = Callable[[Session, User, Sequence[int]], int]


def retry_many(
    actor: User,
    *,
    task_ids: Iterable[str] = (),
    job_filter: JobFilter | None = None,
    expected: int | None = None,
) -> ActionResult:
    """Give failed and cancelled jobs a fresh set of tries.

    Either ``task_ids``, or ``job_filter`` with the number that the actor was shown: Conflict when more
    match by now. A filter reaches at most 10,000 jobs at a time.
    """
    return _act(actor, _retry, task_ids, job_filter, expected)


def cancel_many(
    actor: User,
    *,
    task_ids: Iterable[str] = (),
    job_filter: JobFilter | None = None,
    expected: int | None = None,
) -> ActionResult:
    """Cancel what waits, and ask what runs to stop at its next batch. The arguments are ``retry_many``'s."""
    return _act(actor, _cancel, task_ids, job_filter, expected)


def delete_many(
    actor: User,
    *,
    task_ids: Iterable[str] = (),
    job_filter: JobFilter | None = None,
    expected: int | None = None,
) -> ActionResult:
    """Delete ended jobs with files, tries and log lines. The arguments are ``retry_many``'s."""
    return _act(actor, _delete, task_ids, job_filter, expected)


def _act(
    actor: User,
    step: Step,
    task_ids: Iterable[str],
    job_filter: JobFilter | None,
    expected: int | None,
) -> ActionResult:
    asked = list(dict.fromkeys(task_ids))
    ids = _find_named(actor, asked) if job_filter is None else _find_matching(actor, job_filter, expected)
    total = len(asked) if job_filter is None else len(ids)
    done = 0
    rest = iter(ids)
    while chunk := list(islice(rest, CHUNK)):
        with write_transaction() as session:
            done += step(session, actor, chunk)
    return ActionResult(done, total - done)


def _find_named(actor: User, task_ids: Sequence[str]) -> list[int]:
    found: list[int] = []
    rest = iter(task_ids)
    while chunk := list(islice(rest, 500)):
        query = jobs.visible_to(actor).with_only_columns(TaskNotification.id)
        found += db.session.scalars(query.where(TaskNotification.task_id.in_(chunk)))
    return found


def _find_matching(actor: User, job_filter: JobFilter, expected: int | None) -> list[int]:
    own = job_filter if actor.is_admin else replace(job_filter, user_id=actor.id)
    query = select_jobs(own)[0].with_only_columns(TaskNotification.id)
    found = list(db.session.scalars(query.order_by(TaskNotification.id.desc()).limit(COUNT_CAP)))
    if expected is not None and len(found) > expected:
        raise Conflict(N_("More jobs match by now than you were shown. Look at the list again."))
    return found


def _retry(session: Session, actor: User, ids: Sequence[int]) -> int:
    try:
        with session.begin_nested():
            done = _change(session, jobs.fresh_tries(TaskNotification.id.in_(ids)))
    except IntegrityError:  # a twin of one of them is active: find out of which
        done = [job_id for one in ids for job_id in _retry_one(session, one)]
    changed = _load(session, done)
    for job in changed:
        jobs.ring_after_commit(session, job)
        live.publish_job(session, job, live.JOB_PROGRESS)
    audit_jobs(session, actor, "retry", changed)
    return len(changed)


def _retry_one(session: Session, job_id: int) -> list[int]:
    try:
        with session.begin_nested():
            return _change(session, jobs.fresh_tries(TaskNotification.id == job_id))
    except IntegrityError:
        return []


def _cancel(session: Session, actor: User, ids: Sequence[int]) -> int:
    ended = _change(session, jobs.end_waiting(TaskNotification.id.in_(ids), actor))
    asked = _change(session, _ask_to_stop(ids))
    changed = _load(session, [*ended, *asked])
    for job in changed:
        live.publish_job(session, job, live.JOB_CANCELLED if job.is_final else live.JOB_PROGRESS)
    audit_jobs(session, actor, "cancel", changed)
    return len(changed)


def _ask_to_stop(ids: Sequence[int]) -> Update:
    job = TaskNotification
    return (
        update(job)
        .where(job.id.in_(ids), job.status == "processing", job.cancel_requested_at.is_(None))
        .values(cancel_requested_at=db_now(0), state_version=job.state_version + 1)
    )


def _delete(session: Session, actor: User, ids: Sequence[int]) -> int:
    query = select(TaskNotification).where(
        TaskNotification.id.in_(ids), TaskNotification.status.in_(FINAL_STATUSES)
    )
    found = list(session.scalars(query.with_for_update()))
    audit_jobs(session, actor, "delete", found)
    if found:
        live.publish(session, live.role_audience("admin"), live.JOBS_CHANGED, {"deleted": len(found)})
    remove_jobs(session, found)
    return len(found)


def remove_jobs(session: Session, found: Iterable[TaskNotification]) -> None:
    """Delete jobs with all that hangs on them, in the caller's transaction; files go after its commit."""
    gone = list(found)
    ids = [job.id for job in gone]
    paths = [job.file_path for job in gone if job.file_path]
    session.expunge_all()
    session.execute(delete(JobLog).where(JobLog.job_id.in_(ids)))
    session.execute(delete(TaskNotification).where(TaskNotification.id.in_(ids)))
    after_commit(session, lambda: _delete_files(paths))


def _delete_files(paths: Iterable[str]) -> None:
    for path in paths:
        files.delete(path)


def _change(session: Session, statement: Update | Delete) -> list[int]:
    returning: Any = statement.returning(TaskNotification.id)
    return list(session.scalars(returning.execution_options(synchronize_session=False)))


def _load(session: Session, ids: Sequence[int]) -> list[TaskNotification]:
    session.expire_all()
    return list(session.scalars(select(TaskNotification).where(TaskNotification.id.in_(ids))))
