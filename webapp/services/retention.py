"""Old jobs and notices go, with files and log lines, in transactions so small that nobody waits for them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select

from webapp.database import write_transaction
from webapp.extensions import db, settings
from webapp.models import FINAL_STATUSES, TaskNotification
from webapp.models.base import utc_now
from webapp.services.bulk_actions import remove_jobs
from webapp.services.job_logs import prune_logs
from webapp.services.job_protocol import JobRun
from webapp.services.notices import prune_notices

CHUNK = 100


@dataclass(frozen=True)
class PruneRule:
    """Which ended jobs go: older than ``older_than``, of one status or all, read ones only or all."""

    older_than: timedelta
    status: str | None = None
    only_read: bool = False


def run_prune(run: JobRun) -> None:
    """Do the nightly sweep of jobs and log lines; it stops at once when the worker must."""
    removed = prune_logs(utc_now())
    if days := settings().job_keep_days:
        removed += prune_jobs(PruneRule(timedelta(days=days)), run.raise_if_stopped)
        removed += prune_notices(utc_now() - timedelta(days=days))
    with run.batch() as session:
        run.complete(session, record_count=removed)


def count_prunable(rule: PruneRule) -> int:
    """Return how many jobs a sweep would delete."""
    query = _select(rule, utc_now()).with_only_columns(func.count(), maintain_column_froms=True)
    return db.session.scalar(query.order_by(None)) or 0


def prune_jobs(rule: PruneRule, check: Callable[[], None] = lambda: None) -> int:
    """Delete the jobs of a rule, a hundred in a transaction; return how many. ``check`` may raise between."""
    now, removed = utc_now(), 0
    while True:
        check()
        with write_transaction() as session:
            found = session.scalars(_select(rule, now).limit(CHUNK)).all()
            remove_jobs(session, found)
        removed += len(found)
        if len(found) < CHUNK:
            return removed


def _select(rule: PruneRule, now: datetime) -> Select[TaskNotification]:
    job = TaskNotification
    query = select(job).where(job.status.in_(FINAL_STATUSES), job.completed_at < now - rule.older_than)
    if rule.status:
        query = query.where(job.status == rule.status)
    if rule.only_read:
        query = query.where(job.is_read.is_(True))
    return query.order_by(job.completed_at)
