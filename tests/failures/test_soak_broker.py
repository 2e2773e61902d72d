"""A broker that is away, empty or frozen at the worst moment."""

import statistics

import pytest
from sqlalchemy import func, select

from tasks.queue import bell, huey
from tests.support.broker import Broker
from tests.support.faults import Fault
from tests.support.jobs import ask, look_at
from tests.support.processes import wait_until
from tests.support.trials import FIRST_LINE, PATIENCE, Trial, judge_tries
from webapp.extensions import db
from webapp.models import JobAttempt, TaskNotification

pytestmark = [pytest.mark.soak, pytest.mark.integration, pytest.mark.slow]

PENDING = 100
ROWS = 300


def test_13_redis_goes_away_before_the_finish(broker_trial: Trial, broker: Broker) -> None:
    trial, gate = broker_trial, Fault("finishing", "wait")
    job_id = trial.ask_import()
    trial.start_worker(gate, LEASE_SECONDS="30")
    trial.wait_for_fault(gate)
    broker.stop()
    trial.open_gate(gate)
    trial.settle(job_id)
    assert trial.judge(job_id) + judge_tries(job_id) == []


def test_14_redis_is_emptied_with_a_hundred_jobs_waiting(broker_trial: Trial) -> None:
    made = [ask(None, "maintenance") for _ in range(PENDING)]
    assert bell.wait(10)
    assert huey.pending_count() == PENDING
    huey.storage.flush_all()
    broker_trial.start_worker()
    wait_until(
        lambda: _count_completed(made) == PENDING, lambda: f"{_count_completed(made)} are done", patience=90
    )
    db.session.rollback()
    query = select(func.count()).select_from(JobAttempt).where(JobAttempt.job_id.in_(made))
    assert db.session.scalar(query) == PENDING


def _count_completed(job_ids: list[int]) -> int:
    db.session.rollback()
    query = select(func.count()).select_from(TaskNotification)
    query = query.where(TaskNotification.status == "completed", TaskNotification.id.in_(job_ids))
    return db.session.scalar(query) or 0


def test_15_a_frozen_redis_does_not_slow_a_batch(broker_trial: Trial, broker: Broker) -> None:
    trial, gate = broker_trial, Fault("after_batch", "wait", line=ROWS // 2)
    job_id = trial.ask_import(ROWS)
    trial.start_worker(gate, LEASE_SECONDS="30")
    trial.wait_for_fault(gate)
    broker.freeze()
    trial.open_gate(gate)
    trial.settle(job_id)
    status = look_at(job_id).status
    broker.thaw()
    assert status == "completed"
    before, after = _batch_times(trial, job_id)
    print(f"a batch took {before:.4f} s with Redis and {after:.4f} s while it was frozen")  # noqa: T201
    assert after < 5 * before + 0.2  # its time-outs are a second and more


def _batch_times(trial: Trial, job_id: int) -> tuple[float, float]:
    lines = (trial.folder / f"batches.{job_id}").read_text().splitlines()
    found = [(int(line), float(seconds)) for line, seconds in (text.split() for text in lines)]
    middle = FIRST_LINE + ROWS // 2
    before = [seconds for line, seconds in found if line <= middle]
    after = [seconds for line, seconds in found if line > middle + 10]
    return statistics.median(before), statistics.mean(after)


def test_jobs_created_while_redis_is_frozen_are_done(broker_trial: Trial, broker: Broker) -> None:
    prepared = broker_trial.prepare_import()
    broker.freeze()
    job_id = broker_trial.start_import(prepared)
    assert bell.wait(PATIENCE)
    broker.thaw()
    broker_trial.start_worker()
    broker_trial.settle(job_id)
    assert broker_trial.judge(job_id) + judge_tries(job_id) == []
