"""The protocol with one of its parts taken out: each proves that a failure test would notice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any

from sqlalchemy import true, update
from sqlalchemy.orm import Session

from tasks.consumer import JobConsumer
from tasks.queue import JobQueue
from tests.support.injector import Lines, get_injector
from webapp import database
from webapp.database import write_transaction
from webapp.models import TaskNotification
from webapp.services import job_faults, job_protocol, job_versions, jobs, periodic
from webapp.services.job_protocol import JobRun


def _without_relay() -> None:
    job_protocol.relay_due_jobs = lambda limit=0: 0  # noqa: ARG005 - it is called by this name


def _without_reaper() -> None:
    job_protocol.reap_lost_jobs = lambda: 0


def _without_heartbeat() -> None:
    job_protocol._heartbeat = lambda _run: nullcontext()  # type: ignore[assignment, return-value]


def _without_fence() -> None:
    """Whoever writes last is believed."""

    def write(session: Session, run: JobRun, **values: Any) -> Any:
        statement = update(TaskNotification).where(TaskNotification.id == run.id).values(**values)
        row = session.execute(
            statement.returning(TaskNotification.cancel_requested_at).execution_options(
                synchronize_session=False
            )
        ).one()
        session.expire_all()
        return row

    job_protocol.write_as_owner = write


def _without_claim() -> None:
    """Whoever hears a message does the job."""

    def claim(job_id: int, owner: str, should_stop: Callable[[], bool]) -> JobRun:
        with write_transaction() as session:
            session.execute(
                update(TaskNotification)
                .where(TaskNotification.id == job_id)
                .values(**jobs.claim_values(owner), token=TaskNotification.token + 1)
                .execution_options(synchronize_session=False)
            )
            session.expire_all()
            job = session.get_one(TaskNotification, job_id)
            jobs.open_attempt(session, job)
            return JobRun(job, should_stop)

    job_protocol.claim_job = claim


def _without_slot_row() -> None:
    """Every ticker runs every slot that it sees, if no run is under way."""

    def start(name: str, slot: datetime, task_type: str, should_stop: Any) -> JobRun | None:
        with write_transaction() as session:
            periodic.claim_slot(session, name, slot)
            key = f"{task_type}:running"
            if jobs.find_active(session, key):
                return None
            owner = job_protocol.owner_name()
            job = jobs.create_job(session, task_type, actor=None, queue_key=key, claimed_by=owner)
            return JobRun(job, should_stop)

    periodic.start_slot = start


def _without_same_transaction() -> None:
    """The effects are safe before the checkpoint is."""

    @contextmanager
    def batch(run: JobRun, *, is_progress: bool = True) -> Iterator[Session]:
        run.raise_if_stopped()
        lines = Lines(run)
        with write_transaction() as session:
            yield session
        if not run.is_complete:
            get_injector().hit("in_batch", run, lines.passed())
            with write_transaction() as session:
                run._save(session, **({"crashes": 0} if is_progress else {}), checkpoint=run.checkpoint)

    JobRun.batch = batch  # type: ignore[method-assign, assignment]


def _without_table() -> None:
    """Who hears nothing from the broker does nothing."""
    JobQueue._look_for_work = lambda _queue: None  # type: ignore[method-assign, assignment]


def _without_watch() -> None:
    """Nobody looks whether the workers run."""
    JobConsumer._kill_frozen = lambda _consumer: None  # type: ignore[method-assign, assignment]


def _without_idle_limit() -> None:
    """PostgreSQL waits for a silent writer for ever."""
    database._let_go_when_frozen = lambda connection: None  # noqa: ARG005 - it is called by this name


def _without_doubt() -> None:
    """A batch that ended in any error of the database is believed to be undone."""
    job_faults.is_rolled_back = lambda error: True  # noqa: ARG005 - it is called by this name


def _without_body_version() -> None:
    """Any code goes on with any job."""
    job_versions.is_readable = true


MUTANTS: dict[str, Callable[[], None]] = {
    "relay": _without_relay,
    "reaper": _without_reaper,
    "heartbeat": _without_heartbeat,
    "fence": _without_fence,
    "claim": _without_claim,
    "body version": _without_body_version,
    "slot row": _without_slot_row,
    "same transaction": _without_same_transaction,
    "table": _without_table,
    "watch": _without_watch,
    "idle limit": _without_idle_limit,
    "doubt": _without_doubt,
}
