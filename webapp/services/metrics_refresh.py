"""When the dashboard's figures are computed besides their schedule: on demand, and after something changed.

All asks share one active key, so that a hundred changes in a moment are one refresh. The job gives the
key back before it looks at the data (see ``metrics_job``): what changes after that asks anew.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.extensions import db, settings
from webapp.models import TaskNotification, User
from webapp.models.clock import db_now
from webapp.services import jobs, periodic
from webapp.services.accounts import require_role
from webapp.services.signals import job_ended, rows_saved

ACTIVE_KEY = "metrics"
START_SLOT = "metrics-at-start"
PATIENCE_SECONDS = 60
ONE_BY_ONE = frozenset({"form", "api", "stock_count"})
IMPORTING = frozenset({"import", "import_undo"})


def refresh_soon(session: Session) -> None:
    """Have the figures computed a few seconds after the caller's commit, once for all who ask until then."""
    jobs.create_job(
        session, "metrics", actor=None, queue_key=ACTIVE_KEY, delay=settings().metrics_debounce_seconds
    )


def refresh_now(actor: User) -> TaskNotification:
    """Have the figures computed at once, by the job that waits already where there is one."""
    require_role(actor, "editor")
    with write_transaction() as session:
        return _refresh(session)


def _refresh(session: Session) -> TaskNotification:
    job = jobs.create_job(session, "metrics", actor=None, queue_key=ACTIVE_KEY)
    if job.status == "pending":
        jobs.make_due(session, job)
    return job


def is_refreshing() -> bool:
    """Whether figures are being computed, or are about to be: not those that no worker has taken for a minute."""
    query = select(TaskNotification.id).where(
        TaskNotification.task_type == "metrics",
        TaskNotification.status.in_(("pending", "processing")),
        TaskNotification.run_after.between(db_now(-PATIENCE_SECONDS), db_now(0)),
    )
    return db.session.scalar(query.limit(1)) is not None


def refresh_at_start(started_at: datetime) -> None:
    """Have the figures computed for a consumer that has just started: once, however many processes it has."""
    with write_transaction() as session:
        if periodic.claim_slot(session, START_SLOT, started_at):
            _refresh(session)


@rows_saved.connect
def _refresh_after_saving(_resource_name: str, save: Any, session: Session) -> None:
    """What is saved one by one is soon on the dashboard; an import speaks once, at its end."""
    if save.source in ONE_BY_ONE:
        refresh_soon(session)


@job_ended.connect
def _refresh_after_import(task_type: str, session: Session) -> None:
    if task_type in IMPORTING:
        refresh_soon(session)
