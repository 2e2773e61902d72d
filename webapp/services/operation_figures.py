"""Figures about jobs for monitors, from the database: the same from every process, so nothing counts twice."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import TaskNotification
from webapp.services.monitor_overview import SAMPLED_JOBS, WINDOW, find_percentiles
from webapp.services.monitor_types import Percentiles


@dataclass(frozen=True)
class Speed:
    """How long the jobs of one type ran, and how many rows they did in a second; None for what does no rows."""

    run: Percentiles
    rows_per_second: float | None


def count_kept_jobs() -> list[tuple[str, str, int]]:
    """Return (status, task type, number) of all jobs that are kept; an index alone answers it."""
    kind = (TaskNotification.status, TaskNotification.task_type)
    rows = db.session.execute(select(*kind, func.count()).group_by(*kind))
    return [(status, task_type, number) for status, task_type, number in rows]


def measure_speeds(now: datetime) -> dict[str, Speed]:
    """Return the speed of each type of job over the last hour, of its newest jobs."""
    job = TaskNotification
    query = (
        select(job.task_type, job.started_at, job.completed_at, job.processed)
        .where(job.completed_at >= now - WINDOW)
        .order_by(job.completed_at.desc())
        .limit(SAMPLED_JOBS)
    )
    seconds: dict[str, list[float]] = {}
    rows_done: dict[str, int] = {}
    for row in db.session.execute(query):
        if row.started_at and row.completed_at:
            run = max(0.0, (row.completed_at - row.started_at).total_seconds())
            seconds.setdefault(row.task_type, []).append(run)
            rows_done[row.task_type] = rows_done.get(row.task_type, 0) + (row.processed or 0)
    return {
        kind: Speed(find_percentiles(runs), _divide(rows_done[kind], sum(runs)))
        for kind, runs in seconds.items()
    }


def _divide(rows: int, seconds: float) -> float | None:
    return rows / seconds if rows and seconds else None
