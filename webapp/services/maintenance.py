"""The sweeps: what nobody needs any more goes, and notes are brought up to date, in small transactions."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from webapp.database import write_transaction
from webapp.models import Event
from webapp.models.base import utc_now
from webapp.services import files, idempotency, periodic, product_moves, user_links, user_sessions
from webapp.services.job_protocol import JobRun

EVENTS_ARE_KEPT = timedelta(days=2)
SWEEP_LIMIT = 5_000


def run_maintenance(run: JobRun) -> None:
    """Sweep once; the counts are the job's record."""
    now = utc_now()
    removed = files.sweep_expired(now) + files.sweep_orphans(now)
    run.raise_if_stopped()
    product_moves.note_moves_in_turn(now, run.raise_if_stopped)
    removed += prune_events(now) + periodic.prune_system_jobs(now)
    removed += user_sessions.prune_sessions(now) + user_links.prune_links(now)
    removed += idempotency.prune_requests(now)
    with run.batch() as session:
        run.complete(session, record_count=removed)


def prune_events(now: datetime) -> int:
    """Delete events that no browser will ask for again; return how many."""
    with write_transaction() as session:
        old = select(Event.id).where(Event.at < now - EVENTS_ARE_KEPT).order_by(Event.id).limit(SWEEP_LIMIT)
        ids = session.scalars(old).all()
        session.execute(delete(Event).where(Event.id.in_(ids)))
        return len(ids)
