"""Messages that come ten times or never, and slots that come twice."""

import pytest

from tests.support import scenarios
from tests.support.broker import Broker
from tests.support.jobs import ask, change, look_at
from tests.support.trials import Trial
from webapp.models.clock import db_now
from webapp.services.job_rescue import UNKNOWN_WAITS_SECONDS

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_a_message_that_arrives_ten_times_does_its_job_once(trial: Trial) -> None:
    assert scenarios.double_every_message(trial) == []


def test_a_job_created_while_redis_is_down_is_relayed(broker_trial: Trial, broker: Broker) -> None:
    assert scenarios.create_without_a_broker(broker_trial, broker) == []


def test_two_tickers_run_each_slot_once(trial: Trial) -> None:
    assert scenarios.run_two_tickers(trial) == []


def test_a_job_of_a_type_that_no_worker_knows_fails_with_a_sentence(trial: Trial) -> None:
    job_id = ask(trial.actor, "mystery")
    change(job_id, run_after=db_now(-UNKNOWN_WAITS_SECONDS), code_version="0.0.1")
    trial.start_worker()
    assert trial.settle(job_id) == "failed"
    assert (look_at(job_id).error_message or "").startswith("Nobody here knows how to do a job of the type")
