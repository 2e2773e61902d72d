"""The whole house at a glance."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Function, func, select

from webapp.extensions import db, settings
from webapp.models import FINAL_STATUSES, Consumer, TaskNotification, User
from webapp.services import health, workers
from webapp.services.accounts import require_role
from webapp.services.monitor_lists import COUNT_CAP, count_jobs
from webapp.services.monitor_states import find_state, get_now, where_state
from webapp.services.monitor_types import SHOWN_STATES, Count, MinuteCount, Overview, Percentiles
from webapp.services.queue_figures import measure_queue
from webapp.version import get_version

WINDOW = timedelta(hours=1)
SAMPLED_JOBS = 2_000  # the newest of the hour, for the percentiles
MINUTE = "%Y-%m-%d %H:%M"


def get_overview(actor: User) -> Overview:
    """Return counts, speeds and health. Everything in it is bounded, whatever the history."""
    require_role(actor, "admin")
    now = get_now()
    wait, run = _measure_times(now)
    busy, total = _count_workers(now)
    return Overview(
        at=now,
        counts=count_states(),
        throughput=_count_minutes(now),
        wait=wait,
        run=run,
        oldest_waiting_seconds=measure_queue(now).oldest_waiting_seconds,
        busy_workers=busy,
        total_workers=total,
        database=health.check_database(),
        broker=health.check_broker(),
        is_nothing_consuming=not workers.is_any_alive(now),
    )


def describe_overview(overview: Overview) -> dict[str, Any]:
    """Return the overview as JSON values, for scripts and other monitors."""
    stores = {"database": overview.database, "broker": overview.broker}
    return {
        "at": overview.at.isoformat(),
        "version": get_version(),
        "counts": {state: count.value for state, count in overview.counts.items()},
        "counts_stop_at": COUNT_CAP,
        "oldest_waiting_seconds": overview.oldest_waiting_seconds,
        "wait_seconds": asdict(overview.wait),
        "run_seconds": asdict(overview.run),
        "busy_workers": overview.busy_workers,
        "total_workers": overview.total_workers,
        "is_nothing_consuming": overview.is_nothing_consuming,
        **{name: {"is_ok": store.is_ok, "latency": store.latency} for name, store in stores.items()},
    }


def count_states() -> dict[str, Count]:
    """Return the number of jobs in each shown state; ended ones are counted up to a cap."""
    return {state: count_jobs(select(TaskNotification).where(where_state(state))) for state in SHOWN_STATES}


def _count_minutes(now: datetime) -> list[MinuteCount]:
    minute = _minute_of_completion()
    since = now.replace(second=0, microsecond=0) - WINDOW + timedelta(minutes=1)
    query = (
        select(minute, TaskNotification.status, func.count())
        .where(TaskNotification.completed_at >= since)
        .group_by(minute, TaskNotification.status)
    )
    found = {(when, status): number for when, status, number in db.session.execute(query)}
    minutes = [since + timedelta(minutes=number) for number in range(60)]
    return [
        MinuteCount(moment, *(found.get((moment.strftime(MINUTE), status), 0) for status in FINAL_STATUSES))
        for moment in minutes
    ]


def _minute_of_completion() -> Function[str]:
    if settings().is_sqlite:
        return func.strftime(MINUTE, TaskNotification.completed_at)
    return func.to_char(func.timezone("UTC", TaskNotification.completed_at), "YYYY-MM-DD HH24:MI")


def _measure_times(now: datetime) -> tuple[Percentiles, Percentiles]:
    job = TaskNotification
    query = (
        select(job.created_at, job.started_at, job.completed_at)
        .where(job.completed_at >= now - WINDOW)
        .order_by(job.completed_at.desc())
        .limit(SAMPLED_JOBS)
    )
    rows = [row for row in db.session.execute(query) if row.started_at]
    waits = [max(0.0, (row.started_at - row.created_at).total_seconds()) for row in rows]
    runs = [max(0.0, (row.completed_at - row.started_at).total_seconds()) for row in rows]
    return find_percentiles(waits), find_percentiles(runs)


def find_percentiles(values: list[float]) -> Percentiles:
    """Nearest rank: always a duration that was really measured."""
    if not values:
        return Percentiles(None, None)
    ordered = sorted(values)
    return Percentiles(*(ordered[max(0, -(-len(ordered) * share // 100) - 1)] for share in (50, 95)))


def _count_workers(now: datetime) -> tuple[int, int]:
    alive = db.session.scalars(
        select(Consumer.name).where(Consumer.heartbeat_at > now - workers.SILENT_AFTER)
    ).all()
    running = db.session.scalars(select(TaskNotification).where(TaskNotification.status == "processing"))
    busy = {job.lease_owner for job in running if find_state(job, now) == "processing"}
    return len(busy & set(alive)), len(alive)
