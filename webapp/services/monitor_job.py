"""One job, with all that is known of it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import inspect, select

from webapp.extensions import db, settings
from webapp.models import DataImport, JobAttempt, TaskNotification, User
from webapp.services import job_actions, jobs, periodic
from webapp.services.accounts import require_role
from webapp.services.job_audit import list_deeds
from webapp.services.monitor_outcomes import list_outcomes
from webapp.services.monitor_states import build_row, get_now
from webapp.services.monitor_types import Attempt, JobDetail, Pace, RunningStack, StateSpan
from webapp.services.redact import hide_secrets
from webapp.services.traces import keep_own_frames

ESTIMATE_FROM = 0.1  # a time left that is guessed from less than this share is a lie
FIRST_LOOK_SECONDS = 1.0
SAME_KIND = 20


def get_job_detail(actor: User, task_id: str) -> JobDetail:
    """Return everything about a job. NotFound when there is none."""
    require_role(actor, "admin")
    job = jobs.get_job(actor, task_id)
    now = get_now()
    row = build_row(job, now)
    attempts = _list_attempts(job, now)
    host, pid = parse_owner(job.lease_owner)
    return JobDetail(
        row=row,
        history=_tell_history(job, attempts, row.state, now),
        attempts=attempts,
        params=hide_secrets(job.params),
        pace=_measure_pace(job, now),
        import_public_id=_find_import(job),
        host=host,
        pid=pid,
        delete_at=_find_deletion(job),
        file_delete_at=job.expires_at if job.file_path else None,
        stack=_find_stack(job, now),
        actions=job_actions.list_actions(row.state, job),
        same_kind=list_outcomes(job.task_type, now, SAME_KIND),
        deeds=list_deeds(job),
        raw=_describe(job),
    )


def get_attempts(actor: User, task_id: str) -> list[Attempt]:
    """Return the tries at a job that the actor may see; tracebacks are for administrators."""
    job = jobs.get_job(actor, task_id)
    return _list_attempts(job, get_now(), with_traceback=actor.is_admin)


def parse_owner(owner: str | None) -> tuple[str, int | None]:
    """Return host and process id of a lease's owner: ``host:pid:boot``."""
    host, _, rest = (owner or "").partition(":")
    pid = rest.partition(":")[0]
    return host, int(pid) if pid.isdigit() else None


def _list_attempts(job: TaskNotification, now: datetime, *, with_traceback: bool = True) -> list[Attempt]:
    query = select(JobAttempt).where(JobAttempt.job_id == job.id).order_by(JobAttempt.id)
    found = []
    for record in db.session.scalars(query):
        host, pid = parse_owner(record.owner)
        trace = (record.traceback or "") if with_traceback else ""
        seconds = ((record.ended_at or now) - record.started_at).total_seconds()
        found.append(Attempt(record, max(0.0, seconds), host, pid, keep_own_frames(trace), trace))
    return found


def _tell_history(
    job: TaskNotification, attempts: list[Attempt], state: str, now: datetime
) -> list[StateSpan]:
    """Return the states that the job went through: the tries, and the waits between them."""
    spans: list[StateSpan] = []
    waiting_since, waiting = job.created_at, "pending"
    for attempt in attempts:
        record = attempt.record
        spans.append(_span(waiting, waiting_since, record.started_at, now))
        ended = record.outcome or ("stalled" if state == "stalled" else "processing")
        spans.append(_span(ended, record.started_at, record.ended_at, now, record.attempt))
        waiting_since = record.ended_at or now
        waiting = "retrying" if record.outcome == "error" else "pending"
    if job.status == "pending":
        spans.append(_span(state, waiting_since, None, now))
    elif job.completed_at is not None and not _has_ended_as(attempts, job.status):
        spans.append(_span(waiting, waiting_since, job.completed_at, now))
        spans.append(_span(job.status, job.completed_at, job.completed_at, now))
    return spans


def _has_ended_as(attempts: list[Attempt], status: str) -> bool:
    return bool(attempts) and attempts[-1].record.outcome == status


def _span(
    state: str, started: datetime, ended: datetime | None, now: datetime, attempt: int | None = None
) -> StateSpan:
    seconds = max(0.0, ((ended or now) - started).total_seconds())
    return StateSpan(state, started, ended, seconds, attempt)


def _measure_pace(job: TaskNotification, now: datetime) -> Pace | None:
    """Return how fast a running job goes, once it has something to show."""
    if job.status != "processing" or not job.processed or job.started_at is None:
        return None
    spent = (now - job.started_at).total_seconds()
    if spent < FIRST_LOOK_SECONDS:
        return None
    share = min(job.processed / job.total, 1) if job.total else 0
    left = spent * (1 - share) / share if ESTIMATE_FROM <= share < 1 else None
    return Pace(job.processed / spent, left)


def _find_import(job: TaskNotification) -> str | None:
    found = db.session.get(DataImport, job.data_import_id) if job.data_import_id else None
    return found.public_id if found else None


def _find_deletion(job: TaskNotification) -> datetime | None:
    if job.completed_at is None:
        return None
    if job.user_id is None and job.task_type in periodic.SHORT_LIVED:
        return job.completed_at + periodic.SYSTEM_JOBS_ARE_KEPT
    days = settings().job_keep_days
    return job.completed_at + timedelta(days=days) if days else None


def _find_stack(job: TaskNotification, now: datetime) -> RunningStack | None:
    if job.stack is None or job.stack_at is None:
        return None
    return RunningStack(job.stack, job.stack_at, max(0.0, (now - job.stack_at).total_seconds()))


def _describe(job: TaskNotification) -> dict[str, Any]:
    """Return the row as JSON knows it."""
    values = {column.key: getattr(job, column.key) for column in inspect(TaskNotification).column_attrs}
    values |= {name: hide_secrets(values[name]) for name in ("params", "checkpoint")}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }
