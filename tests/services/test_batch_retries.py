"""A batch that the database rolled back because of another transaction is done again at once."""

import threading
import time
from typing import Any

import pytest
from flask import Flask
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from tests.support.factories import quantity_of, stock_up
from tests.support.imports import counts, start, upload
from tests.support.jobs import ask, carry_out, claim, look_at, outcomes
from webapp.extensions import db
from webapp.models import User
from webapp.services import import_apply
from webapp.services.job_protocol import BATCH_TRIES, JobRun
from webapp.services.signals import stock_moved

LOCK = text("SELECT 1 FROM product WHERE serial_number = :number FOR UPDATE")
WAITERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_import_that_meets_a_deadlock_is_exact_at_its_first_try(
    app: Flask, session: Session, editor: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    stock_up("A", quantity=10)
    stock_up("B", quantity=10)
    job_id = start(editor, upload(editor, "outflows", "product,quantity\nA,1\nB,2\n")).id
    moved: list[Any] = []
    stock_moved.connect(lambda _sender, delta, **_: moved.append(delta), weak=False)
    has_b = threading.Event()
    rival = threading.Thread(target=_lock_the_other_way_round, args=(app, has_b))
    rival.start()
    assert has_b.wait(10)
    carry_out(job_id, import_apply.run_import)
    rival.join(30)
    job = look_at(job_id)
    assert (job.status, counts(job), job.processed) == ("completed", (2, 0, 0, 0), 2), job.traceback
    assert (quantity_of("A"), quantity_of("B"), moved) == (9, 8, [-1, -2])
    assert outcomes(job_id) == ["completed"]
    assert caplog.text.count("rolled back; it is done again") == 1


def _lock_the_other_way_round(app: Flask, has_b: threading.Event) -> None:
    """Take B, and when the import has A and waits for B, want A: one of the two must give way."""
    with app.app_context(), db.engine.connect() as connection:
        connection.execute(text("SET LOCAL deadlock_timeout = '60s'"))  # the import is to look first
        connection.execute(LOCK, {"number": "B"})
        has_b.set()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
            deadline = time.monotonic() + 20
            while not watcher.scalar(WAITERS):
                assert time.monotonic() < deadline, "the import does not come"
                time.sleep(0.005)
        connection.execute(LOCK, {"number": "A"})
        connection.commit()


def rolled_back() -> DBAPIError:
    """What SQLAlchemy makes of a deadlock."""
    return OperationalError("UPDATE", None, errors.DeadlockDetected("deadlock detected"))


def lost() -> DBAPIError:
    """What SQLAlchemy makes of a connection that broke, perhaps during the commit."""
    return OperationalError("COMMIT", None, errors.OperationalError("server closed the connection"))


def failing_in(run: JobRun, failures: list[DBAPIError]) -> Any:
    """Return the work of a batch that counts its row and then meets these failures, one a time."""

    def work(session: Session) -> str:
        run.processed += 1
        run.counts["created"] += 1
        run.checkpoint = {"line": run.processed}
        session.execute(text("UPDATE task_notification SET phase = 'seen'"))
        if failures:
            raise failures.pop()
        return "done"

    return work


def test_what_the_rolled_back_work_said_of_the_run_is_forgotten(session: Session, editor: User) -> None:
    run = claim(ask(editor))
    assert run.in_batch(failing_in(run, [rolled_back(), rolled_back()])) == "done"
    job = look_at(run.id)
    assert (job.processed, job.created, job.checkpoint) == (1, 1, {"line": 1})


def test_after_a_few_tries_it_is_a_failure_like_any_other(session: Session, editor: User) -> None:
    run = claim(ask(editor))
    failures = [rolled_back() for _ in range(BATCH_TRIES + 1)]
    with pytest.raises(OperationalError):
        run.in_batch(failing_in(run, failures))
    assert len(failures) == 1
    assert look_at(run.id).phase is None


def test_a_batch_of_which_nobody_knows_is_not_done_again(session: Session, editor: User) -> None:
    run = claim(ask(editor))
    failures = [rolled_back(), lost()]
    with pytest.raises(OperationalError, match="server closed"):
        run.in_batch(failing_in(run, failures))
    assert len(failures) == 1
