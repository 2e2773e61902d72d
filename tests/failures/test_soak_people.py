"""People and clocks that come between: cancel, retry, restarts, slots that were slept through."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.support.faults import Fault
from tests.support.jobs import ask, change, look_at
from tests.support.processes import children_of, wait_until
from tests.support.trials import PATIENCE, Trial, judge_tries
from webapp.errors import Conflict
from webapp.extensions import db
from webapp.models import PeriodicSlot, TaskNotification, User
from webapp.models.clock import db_now
from webapp.services import jobs

pytestmark = [pytest.mark.soak, pytest.mark.integration, pytest.mark.slow]

RACES = 20
TICK_SECONDS = 2


def test_24_a_cancellation_that_comes_too_late_changes_nothing(trial: Trial) -> None:
    gate = Fault("checked", "wait", number=7)  # before the last transaction
    job_id = trial.ask_import()
    trial.start_worker(gate, LEASE_SECONDS="30")
    trial.wait_for_fault(gate)
    jobs.cancel_job(trial.actor, look_at(job_id).task_id)
    trial.open_gate(gate)
    trial.settle(job_id)
    assert trial.judge(job_id) + judge_tries(job_id) == []


def test_24_a_cancellation_while_the_last_batch_is_open_ends_at_its_end(trial: Trial) -> None:
    gate = Fault("before_batch", "wait", number=4)
    job_id = trial.ask_import()
    trial.start_worker(gate, LEASE_SECONDS="30")
    trial.wait_for_fault(gate)
    jobs.cancel_job(trial.actor, look_at(job_id).task_id)
    trial.open_gate(gate)
    assert trial.settle(job_id) == "cancelled"
    job = look_at(job_id)
    assert job.created == job.processed <= 40
    assert judge_tries(job_id, "cancelled") == []


@pytest.mark.parametrize("rival", ["retry", "cancel"])
def test_24_of_two_clicks_on_retry_or_retry_and_cancel_each_is_answered_once(
    app: Flask, trial: Trial, editor: User, rival: str
) -> None:
    other = jobs.retry_job if rival == "retry" else jobs.cancel_job
    for _ in range(RACES):
        job_id = ask(editor, "maintenance")
        change(job_id, status="failed", completed_at=db_now(0))
        task_id = look_at(job_id).task_id
        db.session.rollback()
        clicks: list[Callable[[], object]] = [
            partial(jobs.retry_job, editor, task_id),
            partial(other, editor, task_id),
        ]
        answers = _race(app, clicks)
        job = look_at(job_id)
        if rival == "retry":
            assert (sorted(answers), job.status) == (["conflict", "done"], "pending")
        else:
            assert job.status == ("cancelled" if answers == ["done", "done"] else "pending")
        db.session.rollback()


def _wait_for_children(parent: int) -> None:
    wait_until(lambda: len(children_of(parent)) == 3, lambda: "no workers", PATIENCE)


def _race(app: Flask, clicks: list[Callable[[], object]]) -> list[str]:
    start, answers = threading.Barrier(len(clicks)), [""] * len(clicks)

    def click(place: int) -> None:
        with app.app_context():
            start.wait()
            try:
                clicks[place]()
                answers[place] = "done"
            except Conflict:
                answers[place] = "conflict"
            finally:
                db.session.remove()

    threads = [threading.Thread(target=click, args=(place,)) for place in range(len(clicks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_19_three_restarts_in_a_slot_run_it_once(trial: Trial) -> None:
    """The scheduler rings at its start, each time."""
    for _ in range(3):
        worker = trial.start_worker(tick_seconds=3600)
        wait_until(_has_run, lambda: "no slot", PATIENCE)
        _wait_for_children(worker.pid)
        time.sleep(1)  # a second run would come at once
        worker.process.terminate()
        worker.process.wait(30)
    assert _count_runs() == _count_slots() <= 2


def test_20_what_was_slept_through_is_caught_up_once(trial: Trial) -> None:
    worker = trial.start_worker(tick_seconds=TICK_SECONDS)
    wait_until(_has_run, lambda: "no slot", patience=PATIENCE)
    worker.process.terminate()
    worker.process.wait(30)
    known = _count_slots()
    time.sleep(4 * TICK_SECONDS)
    trial.start_worker(tick_seconds=TICK_SECONDS)
    wait_until(lambda: _count_slots() > known, lambda: "no slot", patience=PATIENCE)
    slots = _slots()
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(slots)]
    assert max(gaps) >= 4 * TICK_SECONDS, "the slots between were run too"
    assert _count_runs() == len(slots)


def _slots() -> list[datetime]:
    db.session.rollback()
    query = select(PeriodicSlot.slot).where(PeriodicSlot.name == "maintenance").order_by(PeriodicSlot.slot)
    return list(db.session.scalars(query))


def _count_slots() -> int:
    return len(_slots())


def _has_run() -> bool:
    db.session.rollback()
    query = select(TaskNotification.id).where(TaskNotification.task_type == "maintenance")
    return db.session.scalar(query.where(TaskNotification.status == "completed").limit(1)) is not None


def _count_runs() -> int:
    db.session.rollback()
    query = select(func.count()).select_from(TaskNotification)
    return db.session.scalar(query.where(TaskNotification.task_type == "maintenance")) or 0
