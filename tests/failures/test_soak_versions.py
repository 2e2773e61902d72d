"""Number 31: workers of old and of new code on the same jobs, while a deployment rolls."""

import os
import signal
from collections.abc import Sequence
from datetime import datetime

import pytest

from tests.support.databases import on_both_databases
from tests.support.faults import Fault
from tests.support.jobs import ask, look_at
from tests.support.processes import wait_until
from tests.support.stack import Started
from tests.support.trials import PATIENCE, Trial, judge_tries

pytestmark = [pytest.mark.soak, pytest.mark.integration, pytest.mark.slow]

NEW = "99.0.0+00000000"
MANY = 20


@on_both_databases
def test_31_what_new_code_has_begun_is_left_to_new_code(trial: Trial) -> None:
    assert _roll_a_deployment(trial) == []


def test_31_without_the_body_version_old_code_saves_rows_twice(trial: Trial) -> None:
    problems = _roll_a_deployment(trial, ["body version"])
    assert any(problem.startswith("lines: ") for problem in problems), problems


def test_31_old_and_new_code_together_do_each_job_once(trial: Trial) -> None:
    sales = trial.ask_import()
    made = [ask(trial.actor, "maintenance") for _ in range(MANY)]
    trial.start_worker(LEASE_SECONDS="30")
    trial.start_worker(version=NEW, LEASE_SECONDS="30")
    for job_id in made:
        assert trial.settle(job_id) == "completed"
        assert judge_tries(job_id) == []
    trial.settle(sales)
    assert trial.judge(sales) + judge_tries(sales) == []


def _roll_a_deployment(trial: Trial, without: Sequence[str] = ()) -> list[str]:
    """Old code begins an import and dies; new code goes on and dies; old code meets it; new code comes back."""
    old_dies, new_dies = Fault("after_batch", "wait", line=15), Fault("after_batch", "wait", line=35)
    job_id = trial.ask_import()
    old = trial.start_worker(old_dies)
    trial.wait_for_fault(old_dies)
    _kill(old)
    new = trial.start_worker(new_dies, version=NEW)
    trial.wait_for_fault(new_dies)
    assert "position" in (look_at(job_id).checkpoint or {}), (
        "this shows nothing: it looks as old code leaves it"
    )
    _kill(new)
    trial.start_worker(without=without)
    if without:
        trial.settle(job_id)
        return trial.judge(job_id)
    wait_until(lambda: look_at(job_id).status == "pending", lambda: "it is not given back", PATIENCE)
    for _ in range(3):
        _wait_for_a_ring(job_id)
    assert (look_at(job_id).status, look_at(job_id).token) == ("pending", 2), "old code has taken it"
    trial.start_worker(version=NEW)
    trial.settle(job_id)
    assert (look_at(job_id).token, look_at(job_id).code_version) == (3, NEW)
    return trial.judge(job_id) + judge_tries(job_id, "crash", "crash", "completed")


def _kill(worker: Started) -> None:
    os.killpg(worker.pid, signal.SIGKILL)
    worker.process.wait()


def _wait_for_a_ring(job_id: int) -> None:
    before = look_at(job_id).dispatched_at

    def is_later(moment: datetime | None) -> bool:
        return moment is not None and (before is None or moment > before)

    wait_until(lambda: is_later(look_at(job_id).dispatched_at), lambda: "nobody rings for it", PATIENCE)
