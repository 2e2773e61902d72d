"""Failures, grouped by kind and cause over a window of time."""

import re
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from webapp.extensions import db
from webapp.models import TaskNotification, User
from webapp.services.accounts import require_role
from webapp.services.monitor_lists import select_jobs
from webapp.services.monitor_states import build_row, get_now
from webapp.services.monitor_types import FailureGroup, JobFilter, JobPage

MOST_GROUPS = 200
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|'[^']*'")
_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b\d[\d.,:]*\b", re.IGNORECASE)


def list_failures(actor: User, window: timedelta = timedelta(hours=24)) -> list[FailureGroup]:
    """Return the groups of jobs that failed within ``window`` of now, most frequent first."""
    require_role(actor, "admin")
    job = TaskNotification
    fingerprint = func.coalesce(job.error_fingerprint, "")
    newest = func.max(job.id)
    query = (
        select(
            job.task_type,
            fingerprint.label("fingerprint"),
            func.count().label("number"),
            func.min(job.completed_at).label("first"),
            func.max(job.completed_at).label("last"),
            newest.label("sample"),
        )
        .where(job.status == "failed", job.completed_at >= get_now() - window)
        .group_by(job.task_type, fingerprint)
        .order_by(func.count().desc(), newest.desc())
        .limit(MOST_GROUPS)
    )
    groups = db.session.execute(query).all()
    samples = {
        found.id: found
        for found in db.session.scalars(select(job).where(job.id.in_([group.sample for group in groups])))
    }
    return [_build_group(group, samples[group.sample]) for group in groups]


def _build_group(group: Any, sample: TaskNotification) -> FailureGroup:
    message = normalise(sample.error_message or "")
    return FailureGroup(
        group.task_type,
        group.fingerprint,
        group.number,
        group.first,
        group.last,
        message,
        sample.task_id,
    )


def normalise(message: str) -> str:
    """Return a message without what differs between failures of one cause: quoted values, ids, numbers."""
    return _ID.sub("…", _QUOTED.sub("“…”", message))


def list_jobs_of_group(
    actor: User,
    task_type: str,
    fingerprint: str,
    window: timedelta = timedelta(hours=24),
    cursor: int | None = None,
    limit: int = 50,
) -> JobPage:
    """Return one page of a group's jobs, newest first, from below ``cursor``."""
    require_role(actor, "admin")
    now = get_now()
    job = TaskNotification
    query, is_bounded = select_jobs(group_filter(task_type, fingerprint))
    query = query.where(job.completed_at >= now - window).options(joinedload(job.user))
    if cursor is not None:
        query = query.where(job.id < cursor)
    found = db.session.scalars(query.order_by(job.id.desc()).limit(limit + 1)).all()
    rows = [build_row(one, now) for one in found[:limit]]
    return JobPage(rows, rows[-1].job.id if len(found) > limit else None, is_bounded)


def group_filter(task_type: str, fingerprint: str) -> JobFilter:
    """Return the filter of a group's failures, for an action on all of them."""
    return JobFilter(state="failed", task_type=task_type, fingerprint=fingerprint)
