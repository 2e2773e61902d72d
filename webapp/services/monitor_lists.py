"""Lists of jobs for the monitor: by keyset, and at the same speed with a million ended jobs."""

import re
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, func, or_, select
from sqlalchemy.orm import joinedload

from webapp.extensions import db
from webapp.models import FINAL_STATUSES, TaskNotification, User
from webapp.services.accounts import require_role
from webapp.services.monitor_states import build_row, get_now, where_state
from webapp.services.monitor_types import Count, JobFilter, JobPage

COUNT_CAP = 10_000
SEARCHED_JOBS = 100_000  # how many of the newest jobs are looked through where no index leads the way
CLOCK_SKEW = timedelta(minutes=1)  # between the web processes that stamp created_at
# Filters, state aside, that an index answers together with the order of the list.
INDEXED = ({"task_type"}, {"model_name"}, {"user_id"}, set[str]())


@dataclass(frozen=True)
class FilterChoices:
    """What the filter offers: only what there is."""

    task_types: list[str]
    model_names: list[str]
    users: list[tuple[int, str]]


def list_jobs(
    actor: User,
    job_filter: JobFilter,
    cursor: int | None = None,
    limit: int = 50,
    *,
    is_oldest_first: bool = False,
) -> JobPage:
    """Return one page of everybody's jobs, newest first, from below ``cursor``; or oldest first, from above it."""
    require_role(actor, "admin")
    return _list_page(job_filter, cursor, limit, is_oldest_first=is_oldest_first)


def list_own_jobs(actor: User, job_filter: JobFilter, cursor: int | None = None, limit: int = 50) -> JobPage:
    """Return one page of the actor's own jobs, whatever user the filter names."""
    return _list_page(replace(job_filter, user_id=actor.id), cursor, limit)


def _list_page(
    job_filter: JobFilter, cursor: int | None, limit: int, *, is_oldest_first: bool = False
) -> JobPage:
    now = get_now()
    job_id = TaskNotification.id
    query, is_bounded = select_jobs(job_filter)
    query = query.options(joinedload(TaskNotification.user))
    if cursor is not None:
        query = query.where(job_id > cursor if is_oldest_first else job_id < cursor)
    ordered = query.order_by(job_id if is_oldest_first else job_id.desc())
    found = db.session.scalars(ordered.limit(limit + 1)).all()
    rows = [build_row(job, now) for job in found[:limit]]
    return JobPage(rows, rows[-1].job.id if len(found) > limit else None, is_bounded)


def count_matching(actor: User, job_filter: JobFilter) -> Count:
    """Return how many jobs match, counted up to 10,000."""
    require_role(actor, "admin")
    return count_jobs(select_jobs(job_filter)[0])


def count_jobs(query: Select[Any]) -> Count:
    """Count a query's jobs up to the cap."""
    inner = query.with_only_columns(TaskNotification.id).limit(COUNT_CAP + 1).subquery()
    found = db.session.scalar(select(func.count()).select_from(inner)) or 0
    return Count(min(found, COUNT_CAP), is_capped=found > COUNT_CAP)


def list_choices(actor: User) -> FilterChoices:
    """Return the kinds, resources and users that jobs have."""
    require_role(actor, "admin")
    people = select(User.id, User.email).order_by(User.email_key)
    return FilterChoices(
        _list_values(TaskNotification.task_type),
        _list_values(TaskNotification.model_name),
        [(row.id, row.email) for row in db.session.execute(people)],
    )


def _list_values(column: Any) -> list[str]:
    """Return the different values of an indexed column by leaping from one to the next."""
    values: list[str] = []
    value = db.session.scalar(select(func.min(column)))
    while value is not None:
        values.append(value)
        value = db.session.scalar(select(func.min(column)).where(column > value))
    return values


def select_jobs(job_filter: JobFilter) -> tuple[Select[Any], bool]:
    """Return the query of a filter, and whether it looks through the newest jobs only."""
    query = select(TaskNotification).where(*_where(job_filter))
    low, high = _find_id_range(job_filter)
    is_bounded = not _is_indexed(job_filter)
    if is_bounded:
        newest = db.session.scalar(select(func.max(TaskNotification.id))) or 0
        floor = min(high or newest, newest) - SEARCHED_JOBS
        is_bounded = floor > 0
        low = max(low or 0, floor)
    if low is not None:
        query = query.where(TaskNotification.id >= low)
    if high is not None:
        query = query.where(TaskNotification.id <= high)
    return query, is_bounded


def _where(job_filter: JobFilter) -> list[ColumnElement[bool]]:
    job = TaskNotification
    conditions: list[ColumnElement[bool]] = []
    equal = {
        job.task_type: job_filter.task_type,
        job.model_name: job_filter.model_name,
        job.user_id: job_filter.user_id,
    }
    conditions += [column == value for column, value in equal.items() if value not in {None, ""}]
    if job_filter.state:
        conditions.append(where_state(job_filter.state))
    for column, since, until in (
        (job.created_at, job_filter.since, job_filter.until),
        (job.completed_at, job_filter.ended_since, job_filter.ended_until),
    ):
        conditions += [column >= since] if since else []
        conditions += [column < until] if until else []
    if job_filter.fingerprint is not None:
        conditions.append(job.error_fingerprint == (job_filter.fingerprint or None))
    if job_filter.text.strip():
        conditions.append(_where_text(job_filter.text.strip()))
    return conditions


def _where_text(text: str) -> ColumnElement[bool]:
    if _is_task_id(text):
        return TaskNotification.task_id == text.lower()
    escaped = re.sub(r"([%_\\])", r"\\\1", text.lower())
    pattern = f"%{escaped}%"
    job = TaskNotification
    columns = (job.task_id, job.task_type, job.model_name, job.error_message, cast(job.params, String))
    return or_(*(func.lower(column).like(pattern, escape="\\") for column in columns))


def _is_task_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _find_id_range(job_filter: JobFilter) -> tuple[int | None, int | None]:
    """Turn a window of time into one of ids, which rise with time: the keyset then needs no second index."""
    low = high = None
    if job_filter.since:
        low = _first_id_from(job_filter.since - CLOCK_SKEW)
        low = _next_id() if low is None else low
    if job_filter.until:
        high = _first_id_from(job_filter.until + CLOCK_SKEW)
    return low, high


def _first_id_from(moment: datetime) -> int | None:
    query = select(TaskNotification.id).where(TaskNotification.created_at >= moment)
    return db.session.scalar(query.order_by(TaskNotification.created_at).limit(1))


def _next_id() -> int:
    return (db.session.scalar(select(func.max(TaskNotification.id))) or 0) + 1


def _is_indexed(job_filter: JobFilter) -> bool:
    """Whether an index finds the matching jobs in the list's order, however rare they are."""
    if job_filter.state and job_filter.state not in FINAL_STATUSES:
        return True  # few jobs are alive at any time
    text = job_filter.text.strip()
    if text:
        return _is_task_id(text)
    if job_filter.fingerprint is not None:
        return job_filter.state == "failed"
    given = {name for name in ("task_type", "model_name", "user_id") if getattr(job_filter, name)}
    if job_filter.state:
        return given <= {"task_type"}
    return given in INDEXED
