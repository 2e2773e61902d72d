"""Number 9: a process that freezes inside a write transaction, with locks that others wait for."""

import os
import signal
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from tests.support.databases import on_both_databases
from tests.support.faults import Fault
from tests.support.processes import children_of, wait_until
from tests.support.trials import Trial, judge_tries, thaw
from webapp.extensions import db
from webapp.models import PeriodicSlot

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LIMIT, LEASE = "2", "4"
UNMOVED_SECONDS = 12


@on_both_databases
def test_a_worker_that_freezes_in_a_batch_is_killed_and_its_job_done(trial: Trial) -> None:
    assert _freeze_in_a_batch(trial) == []


@pytest.mark.soak
def test_on_sqlite_without_the_watch_nobody_writes_any_more(trial: Trial) -> None:
    problems = _freeze_in_a_batch(trial, ["watch"], patience=UNMOVED_SECONDS)
    assert "status: processing, not completed" in problems


def _freeze_in_a_batch(trial: Trial, without: Sequence[str] = (), patience: float = 60) -> list[str]:
    fault = Fault("in_batch", "stop", number=3)
    job_id = trial.ask_import()
    worker = trial.start_worker(fault, without=without, FROZEN_SECONDS=LIMIT, LEASE_SECONDS=LEASE)
    frozen = trial.wait_for_fault(fault)
    trial.settle(job_id, patience)
    problems = trial.judge(job_id) + judge_tries(job_id, "crash", "completed")
    if frozen in children_of(worker.pid):
        problems.append("the frozen worker is still there")
        os.kill(frozen, signal.SIGKILL)  # so that the house can be closed
    return problems


@pytest.mark.soak
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_on_postgresql_a_frozen_consumer_holds_no_lock_for_long(trial: Trial) -> None:
    assert _freeze_whole_consumer(trial) == []


@pytest.mark.soak
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_on_postgresql_without_the_limit_its_job_is_stuck(trial: Trial) -> None:
    problems = _freeze_whole_consumer(trial, ["idle limit"], patience=UNMOVED_SECONDS)
    assert "status: processing, not completed" in problems


def _freeze_whole_consumer(trial: Trial, without: Sequence[str] = (), patience: float = 60) -> list[str]:
    """Nobody is left who could kill the frozen worker; another consumer waits for the rows that it has locked."""
    fault = Fault("in_batch", "stop", number=3)
    job_id = trial.ask_import()
    worker = trial.start_worker(fault, without=without, children=1, FROZEN_SECONDS=LIMIT, LEASE_SECONDS=LEASE)
    frozen = trial.wait_for_fault(fault)
    worker.process.send_signal(signal.SIGSTOP)
    trial.start_worker(without=without, FROZEN_SECONDS=LIMIT, LEASE_SECONDS=LEASE)
    trial.settle(job_id, patience)
    problems = trial.judge(job_id)
    thaw(worker.pid)
    thaw(frozen)
    if not without:
        trial.wait_until_left(job_id, 1)
        problems += trial.judge(job_id)
    return problems


@pytest.mark.soak
def test_a_consumer_that_was_asleep_itself_kills_nobody(trial: Trial) -> None:
    """A laptop that is closed, a machine that is paused: everything stands still, and goes on."""
    gate = Fault("after_batch", "wait", number=2)
    job_id = trial.ask_import()
    worker = trial.start_worker(gate, FROZEN_SECONDS=LIMIT, LEASE_SECONDS="60")
    trial.wait_for_fault(gate)
    children = children_of(worker.pid)
    family = [worker.pid, *children]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    with pytest.raises(Exception, match="timed out"):
        worker.process.wait(5)
    for pid in family:  # the parent first, so that it looks at sleeping children
        thaw(pid)
    trial.open_gate(gate)
    trial.settle(job_id)
    assert trial.judge(job_id) + judge_tries(job_id) == []
    assert children_of(worker.pid) == children


@pytest.mark.soak
def test_the_scheduler_is_watched_too(trial: Trial) -> None:
    worker = trial.start_worker(tick_seconds=1, FROZEN_SECONDS=LIMIT, LEASE_SECONDS=LEASE)
    wait_until(_count_slots, lambda: "it does not tick", patience=60)
    scheduler = min(children_of(worker.pid))  # it was started first
    os.kill(scheduler, signal.SIGSTOP)
    wait_until(lambda: scheduler not in children_of(worker.pid), lambda: "it stays", patience=60)
    wait_until(lambda: len(children_of(worker.pid)) == 3, lambda: "it is not replaced", patience=60)


def _count_slots() -> int:
    db.session.rollback()
    count = db.session.scalar(select(func.count()).select_from(PeriodicSlot)) or 0
    db.session.rollback()
    return count
