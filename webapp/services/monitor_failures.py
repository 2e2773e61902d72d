"""Failures, grouped by kind and cause over a window of time."""

import re
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import TaskNotification, User
from webapp.services.accounts import require_role
from webapp.services.monitor_types import FailureGroup

MOST_GROUPS = 200
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|'[^']*'")
_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b\d[\d.,:]*\b", re.IGNORECASE)


def list_failures(actor: User, since: datetime) -> list[FailureGroup]:
    """Return the groups of jobs that failed at ``since`` or later, most frequent first.

    A group's jobs are those of ``JobFilter(state="failed", task_type, fingerprint, ended_since)``.
    """
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
        .where(job.status == "failed", job.completed_at >= since)
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
