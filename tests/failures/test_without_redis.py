"""Redis goes away for good: what was asked for, and what is due, is done by way of the database."""

from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from tests.support.broker import Broker
from tests.support.factories import stock_up
from tests.support.jobs import look_at
from tests.support.processes import wait_until
from tests.support.trials import PATIENCE, Trial, double_message, judge_tries
from webapp.extensions import db
from webapp.models import PeriodicSlot, TaskNotification
from webapp.services import exports

pytestmark = [pytest.mark.integration, pytest.mark.slow]

UNCLAIMED_SECONDS = 5


def test_with_redis_dead_a_job_and_a_slot_are_done(broker_trial: Trial, broker: Broker) -> None:
    assert _work_without_redis(broker_trial, broker) == []
    broker.start()
    again = exports.request_export(broker_trial.actor, "brands", "csv").id
    assert broker_trial.settle(again) == "completed"
    assert judge_tries(again) == []
    slots, runs = _count_slots_and_runs()
    assert 0 < runs <= slots


def test_without_a_look_at_the_table_nothing_is_done(broker_trial: Trial, broker: Broker) -> None:
    problems = _work_without_redis(broker_trial, broker, ["table"], UNCLAIMED_SECONDS)
    assert problems == ["status: pending", "no slot was run"]


def _work_without_redis(
    trial: Trial, broker: Broker, without: Sequence[str] = (), patience: float = PATIENCE
) -> list[str]:
    """Say what is not done; the guard's worker is known to live by its heartbeat."""
    stock_up("A")
    broker.stop()
    job_id = exports.request_export(trial.actor, "products", "csv").id
    worker = trial.start_worker(without=without, tick_seconds=1)
    wait_until(lambda: "could not be put on the queue" in worker.output(), worker.output, patience=PATIENCE)
    status = trial.settle(job_id, patience)
    if not without:
        wait_until(lambda: _count_slots_and_runs()[1], lambda: "no slot is run", patience=PATIENCE)
    problems = [] if status == "completed" else [f"status: {status}"]
    return problems + ([] if _count_slots_and_runs()[1] else ["no slot was run"])


def test_messages_that_come_after_the_table_was_looked_at_do_nothing(
    broker_trial: Trial, broker: Broker
) -> None:
    job_id = broker_trial.ask_import()
    double_message(10)
    broker.freeze()
    worker = broker_trial.start_worker(LEASE_SECONDS="30")
    broker_trial.settle(job_id)
    status = look_at(job_id).status
    broker.thaw()
    assert status == "completed", worker.output()
    later = exports.request_export(broker_trial.actor, "products", "csv").id
    assert broker_trial.settle(later) == "completed"
    assert broker_trial.judge(job_id) + judge_tries(job_id) == []


def test_a_redis_that_takes_nothing_more_is_passed_by(broker_trial: Trial, broker: Broker) -> None:
    """Full memory: it still hands out, so that it looks empty and well to who listens."""
    broker.refuse_writes()
    stock_up("A")
    job_id = exports.request_export(broker_trial.actor, "products", "csv").id
    broker_trial.start_worker()
    assert broker_trial.settle(job_id) == "completed"


def _count_slots_and_runs() -> tuple[int, int]:
    db.session.rollback()
    slots = db.session.scalar(
        select(func.count()).select_from(PeriodicSlot).where(PeriodicSlot.name == "maintenance")
    )
    runs = db.session.scalar(
        select(func.count())
        .select_from(TaskNotification)
        .where(TaskNotification.task_type == "maintenance", TaskNotification.status == "completed")
    )
    db.session.rollback()
    return slots or 0, runs or 0
