"""How a worker carries out a job: claimed once, fenced, retried, released, reaped, relayed.

Each part of the protocol has a guard test: with that part taken out, the test fails.
"""

import errno
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tasks.queue import bell, huey
from tests.support.databases import on_both_databases
from tests.support.factories import save
from tests.support.houses import MakeApp, drain_queue
from tests.support.jobs import (
    ask,
    carry_out,
    change,
    claim,
    event_names,
    failing,
    heard_bells,
    look_at,
    lose_worker,
    outcomes,
)
from tests.support.processes import wait_until
from webapp import live
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Brand, Event, JobAttempt, User
from webapp.models.clock import db_now
from webapp.resources.types import Problem
from webapp.services import job_protocol, jobs
from webapp.services.job_protocol import JobRun, LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = on_both_databases

DISK_FULL = OSError(errno.ENOSPC, "No space left on device")
LOST_DATABASE = OperationalError("SELECT 1", None, Exception("server closed the connection"))


def test_a_job_is_claimed_once(session: Session) -> None:
    job_id = ask()
    run = claim(job_id, "first")
    assert job_protocol.claim_job(job_id, "second", lambda: False) is None
    job = look_at(job_id)
    assert (job.status, job.lease_owner, job.token, job.attempt) == ("processing", "first", run.token, 1)
    assert job.lease_until is not None


def test_many_workers_at_once_claim_a_job_once(app: Flask, session: Session) -> None:
    job_id = ask()
    session.rollback()
    start, won = threading.Barrier(6), []

    def race(name: str) -> None:
        with app.app_context():
            start.wait()
            if job_protocol.claim_job(job_id, name, lambda: False):
                won.append(name)

    threads = [threading.Thread(target=race, args=(f"worker {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [look_at(job_id).lease_owner]


def test_a_job_that_is_done_is_completed_with_its_event_and_its_attempt(
    session: Session, editor: User
) -> None:
    job_id = ask(editor)

    def body(run: JobRun) -> None:
        with run.batch() as writing:
            run.processed = 7
            run.counts["created"] = 7
            run.complete(writing, record_count=7)

    carry_out(job_id, body)
    job = look_at(job_id)
    assert (job.status, job.processed, job.created, job.record_count) == ("completed", 7, 7, 7)
    assert (job.lease_until, job.completed_at is not None, job.is_read) == (None, True, False)
    assert event_names(live.user_audience(editor.id))[-1] == live.JOB_COMPLETED
    assert outcomes(job_id) == ["completed"]


def test_a_doubled_message_does_no_harm(session: Session, editor: User) -> None:
    runs: list[int] = []
    job_id = ask(editor)
    for _ in range(10):
        carry_out(job_id, lambda run: runs.append(run.token))
    assert len(runs) == 1
    assert event_names().count(live.JOB_COMPLETED) == 1


def test_a_batch_and_its_checkpoint_are_saved_together_or_not_at_all(session: Session) -> None:
    job_id = ask()

    def body(run: JobRun) -> None:
        for line in (2, 3):
            with run.batch():
                save("brands", {"name": f"Brand {line}"})
                run.checkpoint, run.processed = {"line": line}, line - 1
                if line == 3:
                    raise Problem("Enough.")

    carry_out(job_id, body)
    job = look_at(job_id)
    assert (job.status, job.checkpoint, job.processed) == ("failed", {"line": 2}, 1)
    assert session.scalars(select(Brand.name)).all() == ["Brand 2"]


def test_the_next_try_goes_on_at_the_checkpoint_with_the_counts(session: Session) -> None:
    job_id = ask()
    run = claim(job_id)
    with run.batch():
        run.checkpoint, run.processed, run.counts["created"] = {"line": 9}, 8, 8
    lose_worker(job_id)
    resumed = claim(job_id)
    assert (resumed.checkpoint, resumed.processed, resumed.counts["created"]) == ({"line": 9}, 8, 8)


@pytest.mark.parametrize("write", ["batch", "report", "complete", "fail", "cancel", "release"])
def test_a_worker_that_lost_its_job_can_write_nothing(session: Session, editor: User, write: str) -> None:
    job_id = ask(editor)
    stale = claim(job_id, "stale")
    lose_worker(job_id)
    claim(job_id, "new")
    before = _picture(job_id)
    _write_as(stale, write)
    assert _picture(job_id) == before
    assert session.scalar(select(func.count()).select_from(Brand)) == 0


def _picture(job_id: int) -> dict[str, Any]:
    job = look_at(job_id)
    columns = {column.key: getattr(job, column.key) for column in job.__table__.columns}
    return columns | {"events": event_names(), "attempts": outcomes(job_id)}


def _write_as(run: JobRun, write: str) -> None:
    """Let a worker end its job in one of the ways that there are."""
    if write == "batch":
        with pytest.raises(LeaseLost), run.batch():
            save("brands", {"name": "Written by a ghost"})
        return
    if write == "report":
        with pytest.raises(LeaseLost):
            run.report(5, 10)
        return
    if write == "cancel":
        run._cancelled.set()
    ends: dict[str, Callable[[JobRun], None]] = {
        "complete": lambda _: None,
        "fail": failing(ValueError("ghost")),
        "cancel": JobRun.raise_if_stopped,
        "release": JobRun.raise_if_stopped,
    }
    run._should_stop = lambda: write == "release"
    job_protocol.carry_out(run, ends[write])


@pytest.mark.parametrize("fault", [DISK_FULL, LOST_DATABASE], ids=["disk full", "lost database"])
def test_a_fault_that_may_pass_is_tried_again_after_the_delay(
    session: Session, editor: User, fault: Exception
) -> None:
    job_id = ask(editor)
    carry_out(job_id, failing(fault))
    job = look_at(job_id)
    assert (job.status, job.attempt, job.is_read) == ("pending", 1, False)
    seconds = (job.run_after - session.scalars(select(db_now(0))).one()).total_seconds()
    assert 50 < seconds <= 60
    assert (outcomes(job_id), event_names()[-1]) == (["error"], live.JOB_RETRYING)
    carry_out(job_id, failing(fault))
    assert look_at(job_id).attempt == 1  # not before its time


def test_a_job_fails_after_three_retries_and_says_what_to_do(session: Session, editor: User) -> None:
    job_id = ask(editor)
    for _ in range(6):
        change(job_id, run_after=db_now(-1))
        carry_out(job_id, failing(DISK_FULL))
    job = look_at(job_id)
    assert (job.status, job.attempt, job.failure_kind) == ("failed", 4, "error")
    assert job.error_message == "The disk is full. Free some space on the server and try again."
    assert "No space left" in (job.traceback or "")
    assert outcomes(job_id) == ["error", "error", "error", "failed"]
    assert event_names()[-1] == live.JOB_FAILED


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            Problem("The file is a picture.", "Upload a table."),
            "bad_input",
            "The file is a picture. Upload a table.",
        ),
        (ValueError("a bug"), "error", "The job stopped at an unexpected error (ValueError)."),
    ],
    ids=["bad input", "a bug"],
)
def test_what_cannot_pass_is_not_tried_again(
    session: Session, editor: User, error: Exception, kind: str, message: str
) -> None:
    job_id = ask(editor)
    carry_out(job_id, failing(error))
    job = look_at(job_id)
    assert (job.status, job.attempt, job.failure_kind) == ("failed", 1, kind)
    assert (job.error_message or "").startswith(message)
    assert job.error_fingerprint


def test_equal_failures_have_equal_fingerprints(session: Session, editor: User) -> None:
    made = [ask(editor) for _ in range(3)]
    for job_id, error in zip(made, (ValueError("1"), ValueError("2"), TypeError("3")), strict=True):
        carry_out(job_id, failing(error))
    first, second, third = (look_at(job_id).error_fingerprint for job_id in made)
    assert first == second != third


def test_a_stopping_worker_leaves_at_a_batch_boundary_and_no_crash_is_counted(session: Session) -> None:
    job_id, stopping, done = ask(), threading.Event(), []

    def body(run: JobRun) -> None:
        for line in range(2, 9):
            with run.batch():
                run.checkpoint = {"line": line}
                done.append(line)
                if line == 4:
                    stopping.set()

    carry_out(job_id, body, should_stop=stopping.is_set)
    job = look_at(job_id)
    assert (job.status, job.checkpoint, done) == ("pending", {"line": 4}, [2, 3, 4])
    assert (job.attempt, job.crashes, job.dispatched_at) == (0, 0, None)
    assert outcomes(job_id) == ["released"]


def test_a_worker_cut_off_by_force_gives_its_job_back(session: Session) -> None:
    job_id = ask()

    def body(_run: JobRun) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(job_id, body)
    job = look_at(job_id)
    assert (job.status, job.crashes, outcomes(job_id)) == ("pending", 0, ["released"])


def test_a_cancelled_job_stops_at_its_next_batch(session: Session, editor: User) -> None:
    job_id, done = ask(editor), []

    def body(run: JobRun) -> None:
        for line in range(2, 9):
            with run.batch():
                done.append(line)
                run.checkpoint = {"line": line}
            if line == 3:
                jobs.cancel_job(editor, run.task_id)

    carry_out(job_id, body)
    assert (look_at(job_id).status, done) == ("cancelled", [2, 3, 4])
    assert (outcomes(job_id), event_names()[-1]) == (["cancelled"], live.JOB_CANCELLED)


def test_the_heartbeat_renews_the_lease_and_hears_of_a_cancellation(make_app: MakeApp, editor: User) -> None:
    with make_app(HEARTBEAT_SECONDS="0.02", LEASE_SECONDS="30").app_context():
        job_id, stopped = ask(editor), threading.Event()

        def body(run: JobRun) -> None:
            change(job_id, lease_until=db_now(-5))
            wait_until(lambda: _lease(job_id) > 20, lambda: "the lease was not renewed")
            jobs.cancel_job(editor, run.task_id)
            wait_until(run._cancelled.is_set, lambda: "the cancellation was not heard of")
            stopped.set()
            run.raise_if_stopped()

        carry_out(job_id, body)
        assert (look_at(job_id).status, stopped.is_set()) == ("cancelled", True)


def _lease(job_id: int) -> float:
    job = look_at(job_id)
    now = db.session.scalars(select(db_now(0))).one()
    assert job.lease_until is not None
    return (job.lease_until - now).total_seconds()


def test_the_heartbeat_tells_a_worker_that_its_job_is_gone(make_app: MakeApp) -> None:
    with make_app(HEARTBEAT_SECONDS="0.02").app_context():
        job_id, seen = ask(), []

        def body(run: JobRun) -> None:
            lose_worker(job_id)
            wait_until(run._lost.is_set, lambda: "the loss was not noticed")
            seen.append(run)
            run.raise_if_stopped()

        carry_out(job_id, body)
        assert (look_at(job_id).status, look_at(job_id).crashes, len(seen)) == ("pending", 1, 1)


def test_a_job_whose_worker_died_is_given_back_at_once(session: Session, editor: User) -> None:
    job_id = ask(editor)
    claim(job_id)
    with heard_bells() as rung:
        assert lose_worker(job_id) == 1
    job = look_at(job_id)
    assert (job.status, job.crashes, job.attempt, job.lease_until) == ("pending", 1, 0, None)
    assert (rung, outcomes(job_id), event_names()[-1]) == ([job_id], ["crash"], live.JOB_RETRYING)
    claim(job_id)  # no sixty seconds to wait


def test_a_job_with_a_lease_is_left_alone(session: Session) -> None:
    job_id = ask()
    run = claim(job_id)
    assert job_protocol.reap_lost_jobs() == 0
    assert look_at(job_id).token == run.token


def test_a_job_that_kills_its_worker_three_times_fails_and_names_the_line(
    session: Session, editor: User
) -> None:
    job_id = ask(editor)
    change(job_id, checkpoint={"line": 41})
    for _ in range(3):
        claim(job_id)
        lose_worker(job_id)
    job = look_at(job_id)
    assert (job.status, job.failure_kind, job.crashes) == ("failed", "crash", 3)
    assert "line 41" in (job.error_message or "")
    assert job_protocol.claim_job(job_id, "worker", lambda: False) is None
    assert event_names()[-1] == live.JOB_FAILED


def test_a_crash_is_forgotten_once_the_checkpoint_moves(session: Session) -> None:
    job_id = ask()
    for line in range(2, 9):
        run = claim(job_id)
        with run.batch():
            run.checkpoint = {"line": line}
        lose_worker(job_id)
    assert (look_at(job_id).status, look_at(job_id).crashes) == ("pending", 1)


def test_crashes_do_not_use_up_the_retries(session: Session, editor: User) -> None:
    job_id = ask(editor)
    for _ in range(2):
        claim(job_id)
        lose_worker(job_id)
    carry_out(job_id, failing(DISK_FULL))
    assert (look_at(job_id).status, look_at(job_id).attempt) == ("pending", 1)


def test_a_lost_job_whose_end_was_asked_for_is_cancelled(session: Session, editor: User) -> None:
    job_id = ask(editor)
    claim(job_id)
    jobs.cancel_job(editor, look_at(job_id).task_id)
    lose_worker(job_id)
    assert (look_at(job_id).status, event_names()[-1]) == ("cancelled", live.JOB_CANCELLED)


def test_a_reaper_that_comes_after_the_finish_finds_nothing(session: Session) -> None:
    job_id = ask()
    job_protocol.carry_out(claim(job_id), lambda _: None)
    assert job_protocol.reap_lost_jobs() == 0
    assert look_at(job_id).status == "completed"


def test_a_finish_that_comes_after_the_reaper_writes_nothing(session: Session) -> None:
    job_id = ask()
    run = claim(job_id)
    lose_worker(job_id)
    job_protocol.carry_out(run, lambda _: None)
    assert (look_at(job_id).status, look_at(job_id).crashes) == ("pending", 1)


def test_the_relay_rings_again_for_a_job_that_nobody_heard_of(session: Session) -> None:
    job_id = ask()
    change(job_id, dispatched_at=None)
    with heard_bells() as rung:
        assert job_protocol.relay_due_jobs() == 1
    assert rung == [job_id]


def test_the_relay_waits_as_long_as_a_job_has_already_waited(session: Session) -> None:
    job_id = ask()
    for waited, since, expected in [
        (0, 1, 0),
        (0, 4, 1),
        (30, 20, 0),
        (30, 31, 1),
        (999, 59, 0),
        (999, 61, 1),
    ]:
        change(job_id, run_after=db_now(-waited - since), dispatched_at=db_now(-since))
        assert job_protocol.relay_due_jobs() == expected, (waited, since)


def test_the_relay_does_not_ring_for_what_is_not_due_or_has_been_taken(session: Session) -> None:
    ask(delay=60)
    claim(ask())
    carry_out(ask(), lambda _: None)
    with heard_bells() as rung:
        assert job_protocol.relay_due_jobs() == 0
    assert rung == []


def test_a_released_job_is_rung_for_by_the_next_relay(session: Session) -> None:
    job_id = ask()
    carry_out(job_id, JobRun.raise_if_stopped, should_stop=lambda: True)
    with heard_bells() as rung:
        job_protocol.relay_due_jobs()
    assert rung == [job_id]


def test_a_queue_that_cannot_be_reached_delays_the_job_and_no_more(session: Session, editor: User) -> None:
    working, huey.storage = huey.storage, None
    job_id = ask(editor)
    huey.storage = working
    assert look_at(job_id).status == "pending"
    change(job_id, dispatched_at=None)
    job_protocol.relay_due_jobs()
    assert bell.wait(5), "the queue does not take messages"
    assert huey.pending_count() == 1


def test_a_message_is_an_id_and_names_no_other_thing(session: Session, editor: User) -> None:
    ask(editor, params={"secret": "x"})
    raw = huey.storage.dequeue()
    assert b"secret" not in raw
    assert raw.startswith(b"[")


def test_a_job_of_an_unknown_kind_stays_for_whoever_knows_it(session: Session, editor: User) -> None:
    job_id = ask(editor, "from_the_future")
    assert (drain_queue(), look_at(job_id).status) == (0, "pending")


def test_progress_is_thinned_but_ends_are_not(session: Session, editor: User) -> None:
    job_id = ask(editor)

    def body(run: JobRun) -> None:
        for line in range(2, 52):
            with run.batch():
                run.checkpoint, run.processed = {"line": line}, line

    carry_out(job_id, body)
    names = event_names()
    assert names[-1] == live.JOB_COMPLETED
    assert names.count(live.JOB_PROGRESS) < 50
    assert look_at(job_id).processed == 51


def test_an_event_is_written_in_the_transaction_that_it_tells_of(session: Session, editor: User) -> None:
    job_id = ask(editor)
    run = claim(job_id)
    before = len(event_names())
    with pytest.raises(RuntimeError), write_transaction() as writing:
        run.complete(writing)
        raise RuntimeError
    assert (look_at(job_id).status, len(event_names())) == ("processing", before)


def test_every_event_of_a_job_goes_to_its_user_alone(session: Session, editor: User) -> None:
    carry_out(ask(editor), lambda _: None)
    carry_out(ask(), lambda _: None)
    audiences = set(session.scalars(select(Event.audience)))
    assert audiences == {live.user_audience(editor.id), live.role_audience("admin")}


def test_leases_are_measured_by_the_databases_clock(session: Session) -> None:
    job_id = ask()
    claim(job_id)
    job = look_at(job_id)
    assert job.lease_until is not None
    assert job.heartbeat_at is not None
    assert abs(job.lease_until - job.heartbeat_at - timedelta(seconds=60)) < timedelta(seconds=2)


def test_an_error_that_no_database_can_hold_as_it_is_ends_its_job_all_the_same(
    session: Session, editor: User
) -> None:
    job_id = ask(editor)
    carry_out(job_id, failing(Problem("NUL \x00 and half a surrogate \udcff")))
    assert look_at(job_id).status == "failed"


def test_each_try_has_its_own_record_with_its_traceback(session: Session, editor: User) -> None:
    job_id = ask(editor)
    carry_out(job_id, failing(DISK_FULL))
    change(job_id, run_after=db_now(-1))
    carry_out(job_id, failing(ValueError("a bug")))
    first, second = session.scalars(select(JobAttempt).order_by(JobAttempt.id)).all()
    assert (first.token, second.token, first.attempt, second.attempt) == (1, 2, 1, 2)
    assert "No space left" in (first.traceback or "")
    assert "a bug" in (second.traceback or "")
