"""What can be done to jobs: to one, to those that were ticked, to all that match a filter.

Owners act on their own jobs, administrators on any. Every action is kept in the audit.
"""

from typing import Any

from webapp.database import write_transaction
from webapp.errors import Conflict
from webapp.models import TaskNotification, User
from webapp.resources.base import N_
from webapp.services import job_protocol, jobs
from webapp.services.accounts import require_role
from webapp.services.audit_export import AUDIT
from webapp.services.bulk_actions import cancel_many, delete_many, retry_many
from webapp.services.export_requests import check_request
from webapp.services.job_audit import audit_jobs

__all__ = [
    "cancel_many",
    "delete_job",
    "delete_many",
    "force_release",
    "list_actions",
    "retry_many",
    "run_again",
    "run_now",
]

# An import is begun again by ``import_again``: a person sees its mapping once more before a row is saved.
REPEATABLE = frozenset({"export", *jobs.SYSTEM_TASK_TYPES})

# What an export asks for, where nothing else was said.
DEFAULTS: dict[str, Any] = {"fields": [], "filters": {}, "sort": "", "options": {}}


def list_actions(state: str, job: TaskNotification) -> frozenset[str]:
    """Return the names of what can be done to a job in this shown state."""
    found = {
        "scheduled": {"run_now", "cancel"},
        "pending": {"cancel"},
        "retrying": {"run_now", "cancel"},
        "processing": {"cancel", "force_release"},
        "stalled": {"cancel", "force_release"},
        "completed": {"delete"},
        "failed": {"retry", "delete"},
        "cancelled": {"retry", "delete"},
    }[state]
    if job.is_final and job.task_type in REPEATABLE:
        found.add("run_again")
    if job.is_final and job.task_type == "import" and job.data_import_id:
        found.add("import_again")
    return frozenset(found)


def run_now(actor: User, task_id: str) -> TaskNotification:
    """Make a job due that waits for its time or for its next try. Conflict when it does not wait."""
    with write_transaction() as session:
        job = jobs.get_job(actor, task_id)
        if job.status != "pending":
            raise Conflict(N_("Only a job that waits for its time can be run now."))
        jobs.make_due(session, job)
        audit_jobs(session, actor, "run_now", [job])
        return job


def run_again(actor: User, task_id: str) -> TaskNotification:
    """Ask for the same once more, as a job of its own of the actor's. Conflict when it still goes on.

    Invalid when an export can no longer be made as it was: a field is gone, or there are too many rows.
    """
    with write_transaction() as session:
        job = jobs.get_job(actor, task_id)
        if not job.is_final or job.task_type not in REPEATABLE:
            raise Conflict(N_("Only an export or a periodic job that has ended can be run again."))
        is_system = job.task_type in jobs.SYSTEM_TASK_TYPES
        made = jobs.create_job(
            session,
            job.task_type,
            actor=None if is_system else actor,
            model_name=job.model_name,
            file_format=job.file_format,
            params=_renew_params(job),
            queue_key=job.queue_key if is_system or job.user_id == actor.id else None,
        )
        audit_jobs(session, actor, "run_again", [made])
        return made


def _renew_params(job: TaskNotification) -> dict[str, Any]:
    """Return what an export asks for, as it is right today, without the notes of its last run."""
    if job.task_type != "export":
        return dict(job.params)
    if job.model_name == AUDIT:
        return {name: value for name, value in job.params.items() if name != "notes"}
    asked = DEFAULTS | {name: job.params[name] for name in DEFAULTS.keys() & job.params.keys()}
    checked = check_request(job.model_name or "", job.file_format or "", **asked)
    return checked | {"language": job.params.get("language", "")}


def force_release(actor: User, task_id: str) -> TaskNotification:
    """Take a running job away from its worker, whose later writes are refused.

    It waits again at once, or is cancelled when its end was asked for. Conflict when it does not run.
    """
    require_role(actor, "admin")
    with write_transaction() as session:
        job = jobs.get_job(actor, task_id)
        session.refresh(job, with_for_update=True)  # its worker may be about to commit its end
        if job.status != "processing":
            raise Conflict(N_("Only a running job can be taken away from its worker."))
        job_protocol.take_away(session, job)
        audit_jobs(session, actor, "force_release", [job])
        return job


def delete_job(actor: User, task_id: str) -> None:
    """Delete an ended job with its file, tries and log lines. Conflict when it has not ended."""
    jobs.get_job(actor, task_id)
    if not delete_many(actor, task_ids=[task_id]).done:
        raise Conflict(N_("Only a job that has ended can be deleted."))
