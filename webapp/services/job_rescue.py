"""Jobs that no message brings to a worker: the broker is away, or nobody knows their type."""

import logging
import re
from collections.abc import Collection

from sqlalchemy import Select, not_, or_, select
from sqlalchemy.orm import Session

from webapp import live
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.logs import of_job
from webapp.models import TaskNotification
from webapp.models.clock import db_now
from webapp.resources.base import N_
from webapp.resources.types import Phrase
from webapp.services import job_faults
from webapp.services.job_versions import is_readable
from webapp.version import get_version

log = logging.getLogger(__name__)

# While a deployment rolls, workers of the code that knows the type may still be there, or be about to come.
UNKNOWN_WAITS_SECONDS = 60
# Other code has asked for it, perhaps newer; its workers are expected. After a day they will not come any more.
NEWER_WAITS_SECONDS = 24 * 60 * 60
UNKNOWN_LIMIT = 100


def find_due_job(task_types: Collection[str]) -> TaskNotification | None:
    """Return the job of these types that has been due longest. Whoever wants it must claim it."""
    query = _select_due(0).where(TaskNotification.task_type.in_(task_types), is_readable())
    return db.session.scalar(query.order_by(TaskNotification.run_after, TaskNotification.id).limit(1))


def end_unknown_jobs(task_types: Collection[str]) -> int:
    """End as failed the due jobs that this code cannot carry out; return how many.

    A job that newer code has made is left to newer code for a day: who is old cannot tell what is unknown.
    """
    is_unknown = or_(TaskNotification.task_type.not_in(task_types), not_(is_readable()))
    query = _select_due(-UNKNOWN_WAITS_SECONDS).where(is_unknown)
    if db.session.scalar(query.with_only_columns(TaskNotification.id).limit(1)) is None:
        db.session.rollback()
        return 0
    with write_transaction() as session:
        old = set(session.scalars(_select_due(-NEWER_WAITS_SECONDS).with_only_columns(TaskNotification.id)))
        found = session.scalars(query.limit(UNKNOWN_LIMIT).with_for_update(skip_locked=True)).all()
        ended = [job for job in found if job.id in old or not may_be_newer(job.code_version, get_version())]
        for job in ended:
            _end_unknown(session, job)
        return len(ended)


def _select_due(seconds: float) -> Select[TaskNotification]:
    """Return the query of the jobs that wait, and were due that many seconds from now."""
    return select(TaskNotification).where(
        TaskNotification.status == "pending", TaskNotification.run_after <= db_now(seconds)
    )


def _end_unknown(session: Session, job: TaskNotification) -> None:
    with of_job(job.id, job.task_id):
        log.warning("No worker knows jobs of the type %s; job %s is ended.", job.task_type, job.task_id)
    job.status = "failed"
    job.failure_kind = "error"
    said = job_faults.tell(
        [
            Phrase(
                N_(
                    "Nobody here knows how to do a job of the type “%(type)s”, which version %(version)s asked for; the workers run version %(own)s. Ask for it again, or update the workers and try it again."
                ),
                {"type": job.task_type, "version": job.code_version or "unknown", "own": get_version()},
            )
        ]
    )
    job.error_message, job.error_phrases = said["error_message"], said["error_phrases"]
    job.completed_at = session.scalars(select(db_now(0))).one()
    job.is_read = job.user_id is None
    job.state_version += 1
    live.publish_job(session, job, live.JOB_FAILED)


def may_be_newer(version: str | None, than: str) -> bool:
    """Whether code of this version may know what this code does not: its number is higher, or its build another."""
    if version is None or version == than:
        return False
    return _read_number(version) >= _read_number(than)


def _read_number(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version.partition("+")[0])]
