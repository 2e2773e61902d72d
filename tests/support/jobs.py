"""Jobs for tests: asked for, claimed and looked at the way a worker and a page do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select, update

from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Event, JobAttempt, TaskNotification, User
from webapp.models.clock import db_now
from webapp.services import job_protocol, jobs
from webapp.services.job_protocol import JobRun
from webapp.services.signals import job_due


def ask(actor: User | None = None, task_type: str = "export", **options: Any) -> int:
    """Ask for a job and return its id."""
    with write_transaction() as session:
        return jobs.create_job(session, task_type, actor=actor, **options).id


def look_at(job_id: int) -> TaskNotification:
    """Return a job as it is stored now."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(TaskNotification, job_id)


def claim(job_id: int, owner: str = "worker", *, should_stop: Callable[[], bool] = lambda: False) -> JobRun:
    """Take a job that nobody else has."""
    run = job_protocol.claim_job(job_id, owner, should_stop)
    assert run is not None
    return run


def change(job_id: int, **values: Any) -> None:
    """Set columns of a job's row as time, or an accident, would have."""
    with write_transaction() as session:
        session.execute(
            update(TaskNotification)
            .where(TaskNotification.id == job_id)
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def lose_worker(job_id: int) -> int:
    """Let the lease of a running job run out, as if its worker had died; return how many were given back."""
    change(job_id, lease_until=db_now(-1))
    return job_protocol.reap_lost_jobs()


def carry_out(
    job_id: int, body: Callable[[JobRun], None], *, should_stop: Callable[[], bool] = lambda: False
) -> None:
    """Do what a worker does with the message of a job."""
    job_protocol.execute(job_id, body, should_stop)


def failing(error: Exception) -> Callable[[JobRun], None]:
    """Return a body that ends in an error."""

    def body(_run: JobRun) -> None:
        raise error

    return body


def outcomes(job_id: int) -> list[str | None]:
    """How each try at a job ended."""
    db.session.rollback()
    query = select(JobAttempt.outcome).where(JobAttempt.job_id == job_id).order_by(JobAttempt.id)
    return list(db.session.scalars(query))


def event_names(audience: str | None = None) -> list[str]:
    """The names of the live events so far, in order."""
    db.session.rollback()
    query = select(Event.name).order_by(Event.id)
    return list(db.session.scalars(query if audience is None else query.where(Event.audience == audience)))


@contextmanager
def heard_bells() -> Iterator[list[int]]:
    """Collect the ids of the jobs that the queue is rung for."""
    rung: list[int] = []

    def hear(_task_type: str, job_id: int, **_: Any) -> None:
        rung.append(job_id)

    with job_due.connected_to(hear):
        yield rung


def die_after(run: JobRun, batches: int, body: Callable[[JobRun], None]) -> None:
    """Carry out a job whose worker vanishes after some batches, without a word."""
    original, done = run.raise_if_stopped, 0

    def count() -> None:
        nonlocal done
        original()
        done += 1
        if done > batches:
            raise SystemExit

    run.raise_if_stopped = count  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        body(run)
    db.session.rollback()
