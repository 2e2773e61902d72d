"""The stored log lines, as the monitor tails them."""

import re
from typing import Any

from sqlalchemy import func, or_, select

from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Consumer, JobLog, TaskNotification, User
from webapp.services.accounts import require_role
from webapp.services.monitor_types import LogLine, LogPage

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def list_logs(
    actor: User,
    *,
    after_id: int | None = None,
    before_id: int | None = None,
    level: str | None = None,
    task_id: str | None = None,
    text: str = "",
    limit: int = 200,
) -> LogPage:
    """Return the newest lines; or the first ones after ``after_id``; or the last ones before ``before_id``.

    ``level`` is the lowest that is shown. ``task_id`` of an unknown job is NotFound.
    """
    require_role(actor, "admin")
    query = _select(level, task_id, text)
    if after_id is not None:
        query = query.where(JobLog.id > after_id).order_by(JobLog.id)
    else:
        query = query.order_by(JobLog.id.desc())
        if before_id is not None:
            query = query.where(JobLog.id < before_id)
    found = list(db.session.execute(query.limit(limit + 1)))
    rows = found[:limit] if after_id is not None else found[:limit][::-1]
    lines = [_build_line(line, shown) for line, shown in rows]
    return LogPage(
        lines=lines,
        first_id=lines[0].id if lines else None,
        last_id=lines[-1].id if lines else after_id,
        has_more=len(found) > limit,
        dropped=db.session.scalar(select(func.sum(Consumer.dropped_log_lines))) or 0,
    )


def _select(level: str | None, task_id: str | None, text: str) -> Any:
    query: Any = select(JobLog, TaskNotification.task_id).outerjoin(
        TaskNotification, TaskNotification.id == JobLog.job_id
    )
    if task_id:
        query = query.where(JobLog.job_id == _find_job_id(task_id))
    if level in LEVELS[1:]:
        query = query.where(JobLog.level.in_(LEVELS[LEVELS.index(str(level)) :]))
    if text.strip():
        escaped = re.sub(r"([%_\\])", r"\\\1", text.strip().lower())
        columns = (JobLog.message, JobLog.exception, JobLog.logger, JobLog.consumer)
        query = query.where(
            or_(*(func.lower(column).like(f"%{escaped}%", escape="\\") for column in columns))
        )
    return query


def _find_job_id(task_id: str) -> int:
    job_id = db.session.scalar(select(TaskNotification.id).where(TaskNotification.task_id == task_id))
    if job_id is None:
        raise NotFound(task_id)
    return job_id


def _build_line(line: JobLog, task_id: str | None) -> LogLine:
    return LogLine(
        line.id,
        line.at,
        line.level,
        line.logger,
        line.message,
        line.exception or "",
        line.consumer or "",
        task_id,
    )
