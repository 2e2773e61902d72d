"""Jobs in real consumers: done, resumed after a kill, released at a stop, relayed, once for each slot."""

import os
import signal
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg.errors
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tasks.queue import huey
from tests.support.databases import POSTGRES
from tests.support.factories import quantity_of, stock_up
from tests.support.imports import counts, start, upload
from tests.support.jobs import event_names, look_at, outcomes
from tests.support.processes import children_of, find_marked, free_port, wait_until
from tests.support.stack import MARK, Stack, Started
from webapp import live
from webapp.extensions import db
from webapp.models import Change, Consumer, Outflow, PeriodicSlot, TaskNotification, User
from webapp.services import exports, files, jobs

ON_BOTH = pytest.mark.parametrize("database", ["sqlite", POSTGRES], indirect=True)
# tests/failures holds the same promise in every run, faster and on one database.
IN_DEPTH = pytest.mark.soak
pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROWS, FEWER = 3000, 1200
TICKS = 3
LEFT = 7  # pieces in stock after an import
POISONED_LINE = 41
LOCKING = [f"SELECT 1 FROM {name} FOR UPDATE NOWAIT" for name in ("task_notification", "product")]  # noqa: S608
# A batch then shrinks to a row or a few: many boundaries for a test to hit, and still an end in sight.
SMALL_BATCHES = {"sqlite": {"BATCH_SECONDS": "0.001"}, "postgresql": {"BATCH_SECONDS": "0.006"}}


def wait_for(job_id: int, *statuses: str) -> TaskNotification:
    """Wait until a job is in one of these states."""
    wait_until(
        lambda: look_at(job_id).status in statuses,
        lambda: f"the job is {look_at(job_id).status}: {look_at(job_id).traceback}",
        patience=90,
    )
    return look_at(job_id)


def wait_for_progress(job_id: int, *, of_try: int = 1) -> None:
    """Wait until a try at a job has saved some rows of its own, and not all."""

    def has_begun() -> bool:
        job = look_at(job_id)
        return job.token == of_try and job.status == "processing"

    wait_until(has_begun, lambda: "the try does not begin", patience=90)
    start = look_at(job_id).processed
    wait_until(lambda: look_at(job_id).processed > start + 50, lambda: "the job does not move", patience=90)
    job = look_at(job_id)
    assert (job.status, job.token, job.processed < (job.total or 0)) == ("processing", of_try, True)


def start_long_import(actor: User, rows: int = ROWS) -> int:
    """Ask for an import of many sales of one piece, which takes some seconds."""
    stock_up("A", quantity=rows + LEFT)
    text = "reference,product,quantity\n" + "".join(f"S-{number},A,1\n" for number in range(rows))
    return start(actor, upload(actor, "outflows", text)).id


def assert_exact(job_id: int, rows: int = ROWS) -> None:
    """The result is that of an undisturbed run: every row once, in order, and the stock equal to it."""
    job = look_at(job_id)
    assert (job.status, counts(job), quantity_of("A")) == ("completed", (rows, 0, 0, 0), LEFT)
    assert db.session.scalar(select(func.count()).select_from(Outflow)) == rows
    lines = db.session.scalars(select(Change.line).where(Change.job_id == job_id).order_by(Change.id)).all()
    assert list(lines) == list(range(2, rows + 2))
    mine = live.user_audience(job.user_id or 0)
    assert event_names(mine).count(live.JOB_COMPLETED) == 3  # the inspection's, the check's and the import's


@ON_BOTH
def test_a_job_is_run_by_a_real_consumer(session: Session, stack: Stack, editor: User) -> None:
    stack.start_worker()
    stock_up("A", quantity=5)
    job_id = exports.request_export(editor, "products", "csv").id
    job = wait_for(job_id, "completed", "failed")
    assert (job.status, job.record_count, job.attempt) == ("completed", 1, 1)
    with files.open_for_reading(str(job.file_path)) as file:
        assert b"Product A" in file.read()
    wait_until(lambda: _count_consumers() == 2, lambda: "not both workers introduced themselves")


@ON_BOTH
def test_an_import_whose_worker_is_killed_twice_ends_as_if_nothing_had_happened(
    session: Session, stack: Stack, editor: User, database: str
) -> None:
    job_id = start_long_import(editor)
    for number in (1, 2):
        worker = stack.start_worker(**SMALL_BATCHES[database])
        wait_for_progress(job_id, of_try=number)
        kill_parent(stack, worker.pid)
    stack.start_worker()
    wait_for(job_id, "completed", "failed")
    assert_exact(job_id)
    assert outcomes(job_id) == ["crash", "crash", "completed"]


def kill_parent(stack: Stack, pid: int) -> None:
    """Kill a consumer, and see that its workers do not go on without it."""
    children = set(children_of(pid))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not children & set(find_marked(stack.mark)), lambda: "children outlive their parent")


@IN_DEPTH
def test_a_single_killed_child_gives_its_job_back_and_the_consumer_lives(
    session: Session, stack: Stack, editor: User, database: str
) -> None:
    job_id = start_long_import(editor, FEWER)
    stack.start_worker(**SMALL_BATCHES[database])
    wait_for_progress(job_id)
    os.kill(_owner_of(job_id), signal.SIGKILL)
    wait_for(job_id, "completed", "failed")
    assert_exact(job_id, FEWER)
    assert outcomes(job_id) == ["crash", "completed"]


def _owner_of(job_id: int) -> int:
    """Return the process that has a job."""
    return int(str(look_at(job_id).lease_owner).split(":")[1])


@IN_DEPTH
@ON_BOTH
def test_a_worker_that_wakes_after_its_job_was_given_away_writes_nothing(
    session: Session, stack: Stack, editor: User, database: str
) -> None:
    job_id = start_long_import(editor, FEWER)
    stack.start_worker(**SMALL_BATCHES[database])
    wait_for_progress(job_id)
    frozen = _owner_of(job_id)
    _freeze_outside_of_a_write(frozen)
    wait_until(lambda: look_at(job_id).token == 2, lambda: "nobody took over")
    os.kill(frozen, signal.SIGCONT)
    wait_for(job_id, "completed", "failed")
    assert_exact(job_id, FEWER)


def _freeze_outside_of_a_write(pid: int) -> None:
    """Stop a process, but not while it holds a lock: nobody could go on, and no lease would help."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        if _is_unlocked():
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.003)  # to land elsewhere


def _is_unlocked() -> bool:
    """Whether a batch could begin at this moment."""
    tried = ["BEGIN IMMEDIATE"] if db.engine.dialect.name == "sqlite" else LOCKING
    connection = db.engine.raw_connection()
    try:
        for statement in tried:
            connection.cursor().execute(statement)
    except (sqlite3.OperationalError, psycopg.errors.LockNotAvailable):
        return False
    else:
        return True
    finally:
        connection.rollback()
        connection.close()


@ON_BOTH
def test_a_stopping_worker_releases_its_job_at_a_boundary_without_a_crash(
    session: Session, stack: Stack, editor: User, database: str
) -> None:
    job_id = start_long_import(editor)
    worker = stack.start_worker(**SMALL_BATCHES[database])
    wait_for_progress(job_id)
    worker.process.send_signal(signal.SIGTERM)
    worker.process.wait(10)
    job = look_at(job_id)
    assert (job.status, job.crashes, job.attempt) == ("pending", 0, 0)
    assert 0 < job.processed < ROWS
    stack.start_worker()
    wait_for(job_id, "completed", "failed")
    assert_exact(job_id)
    assert outcomes(job_id) == ["released", "completed"]


@ON_BOTH
def test_a_lost_message_is_sent_again(session: Session, stack: Stack, editor: User) -> None:
    stack.start_worker()
    lost = [exports.request_export(editor, name, "csv").id for name in ("brands", "categories", "suppliers")]
    huey.storage.flush_all()
    for job_id in lost:
        assert wait_for(job_id, "completed", "failed").status == "completed"


@IN_DEPTH
def test_a_message_sent_ten_times_does_the_job_once(session: Session, stack: Stack, editor: User) -> None:
    stock_up("A")
    job_id = exports.request_export(editor, "products", "csv").id
    message = huey.storage.dequeue()
    for _ in range(10):
        huey.storage.enqueue(message)
    stack.start_worker()
    wait_for(job_id, "completed", "failed")
    wait_until(lambda: huey.pending_count() == 0, lambda: "messages stay in the queue")
    assert (outcomes(job_id), look_at(job_id).token) == (["completed"], 1)


@IN_DEPTH
@ON_BOTH
def test_two_consumers_run_each_slot_once(session: Session, stack: Stack) -> None:
    for _ in range(2):
        stack.start_worker()
    wait_until(lambda: _count_consumers() == 4, lambda: "not all of 2 x 2 workers live")
    wait_until(lambda: _slots("maintenance"), lambda: "no slot was run", patience=90)
    session.rollback()
    slots = session.scalars(select(PeriodicSlot.slot).where(PeriodicSlot.name == "maintenance")).all()
    found = session.scalars(
        select(TaskNotification.id).where(TaskNotification.task_type == "maintenance")
    ).all()
    assert len(found) == len(slots)


@ON_BOTH
def test_two_consumers_refresh_the_metrics_once_a_tick(session: Session, stack: Stack) -> None:
    consumers = [stack.start_worker("tests.support.hurried_worker") for _ in range(2)]
    wait_until(lambda: all(_count_ticks(item) > TICKS for item in consumers), stack.tails, patience=60)
    wait_until(
        lambda: len(_refreshes(session)) >= TICKS, stack.tails, patience=60
    )  # some ticks find one running
    for item in consumers:
        item.process.terminate()
        item.process.wait(20)
    runs = _refreshes(session)
    slots = session.scalars(select(PeriodicSlot.slot).where(PeriodicSlot.name == "metrics")).all()
    assert len(runs) <= len(slots) < sum(map(_count_ticks, consumers))
    assert set(runs) == {"completed"}
    assert {slot.timestamp() % 2 for slot in slots} == {0}


def _refreshes(session: Session) -> Sequence[str]:
    """What became of the refreshes that a tick has begun."""
    session.rollback()
    is_run_of_slot = TaskNotification.queue_key == "metrics:running"
    return session.scalars(select(TaskNotification.status).where(is_run_of_slot)).all()


def _count_ticks(consumer: Started) -> int:
    return consumer.output().count("hurried_worker: tick")


def _count_consumers() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Consumer)) or 0


def _slots(name: str) -> int:
    db.session.rollback()
    query = select(func.count()).select_from(TaskNotification).where(TaskNotification.task_type == name)
    return db.session.scalar(query.where(TaskNotification.status == "completed")) or 0


@IN_DEPTH
def test_a_line_that_kills_every_worker_fails_its_job_is_named_and_others_are_done(
    session: Session, stack: Stack, editor: User
) -> None:
    stack.start_worker("tests.support.poisoned_worker", POISONED_LINE=str(POISONED_LINE), LEASE_SECONDS="1")
    poisoned = start_long_import(editor)
    healthy = exports.request_export(editor, "products", "csv").id
    assert wait_for(healthy, "completed", "failed").status == "completed"
    job = wait_for(poisoned, "completed", "failed")
    assert (job.status, job.failure_kind, job.checkpoint) == ("failed", "crash", {"line": POISONED_LINE - 1})
    assert f"up to line {POISONED_LINE - 1}" in str(job.error_message)
    saved = POISONED_LINE - 2  # the header is line 1
    assert (job.created, ROWS + LEFT - quantity_of("A")) == (saved, saved)


def test_a_running_import_is_cancelled_at_a_boundary(
    session: Session, stack: Stack, editor: User, database: str
) -> None:
    stack.start_worker(**SMALL_BATCHES[database])
    job_id = start_long_import(editor)
    wait_for_progress(job_id)
    jobs.cancel_job(editor, look_at(job_id).task_id)
    job = wait_for(job_id, "cancelled", "completed", "failed")
    assert (job.status, job.created) == ("cancelled", ROWS + LEFT - quantity_of("A"))


def test_a_retry_comes_after_its_delay_and_succeeds(session: Session, stack: Stack, editor: User) -> None:
    stock_up("A")
    exports_folder = Path(stack.environment["DATA_DIR"], "media", "exports")
    exports_folder.parent.mkdir(parents=True, exist_ok=True)
    exports_folder.write_text("in the way")  # a fault that passes: the folder cannot be made
    stack.start_worker()
    job_id = exports.request_export(editor, "products", "csv").id
    wait_until(lambda: outcomes(job_id)[:1] == ["error"], lambda: "no try failed")
    exports_folder.unlink()
    assert wait_for(job_id, "completed", "failed").status == "completed"
    assert look_at(job_id).attempt == outcomes(job_id).count("error") + 1


def test_the_pair_of_the_procfile_ends_on_a_signal_without_a_trace(
    session: Session, stack: Stack, editor: User, database: str
) -> None:
    job_id = start_long_import(editor)
    # What `make run` ends in: honcho is the recipe's own process, and stopped by its id.
    command = ["honcho", "start", "-e", "/dev/null", "web", "worker"]
    pair = stack.start("pair", command, PORT=str(free_port()), **SMALL_BATCHES[database])
    wait_for_progress(job_id)
    pair.process.send_signal(signal.SIGTERM)
    pair.process.wait(10)
    assert find_marked(stack.mark) == []
    job = look_at(job_id)
    assert (job.status, job.lease_until, job.crashes) == ("pending", None, 0)


@pytest.mark.soak
def test_make_run_ends_on_a_signal_without_a_trace(
    session: Session, stack: Stack, editor: User, database: str
) -> None:
    job_id = start_long_import(editor)
    made = stack.start("make", ["make", "run"], PORT=str(free_port()), APT="0", **SMALL_BATCHES[database])
    wait_for_progress(job_id)
    made.process.send_signal(signal.SIGTERM)
    made.process.wait(10)
    assert find_marked(stack.mark) == []
    assert (look_at(job_id).status, look_at(job_id).crashes) == ("pending", 0)


def test_the_mark_finds_processes_of_processes(stack: Stack) -> None:
    """The proof that the checks above can fail: a grandchild in a session of its own is found."""
    script = "import os, time\nos.fork() or os.setsid()\ntime.sleep(60)"
    started = stack.start("parent", ["python", "-c", script])
    wait_until(lambda: len(find_marked(stack.mark)) == 2, lambda: "not found")
    for pid in find_marked(f"{MARK}={stack.mark}"):
        os.kill(pid, signal.SIGKILL)
    started.process.wait()
    wait_until(lambda: find_marked(stack.mark) == [], lambda: "still there")
