"""Messages that come ten times or never, and slots that come twice."""

import pytest

from tests.support import scenarios
from tests.support.broker import Broker
from tests.support.trials import Trial

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_a_message_that_arrives_ten_times_does_its_job_once(trial: Trial) -> None:
    assert scenarios.double_every_message(trial) == []


def test_a_job_created_while_redis_is_down_is_relayed(broker_trial: Trial, broker: Broker) -> None:
    assert scenarios.create_without_a_broker(broker_trial, broker) == []


def test_two_tickers_run_each_slot_once(trial: Trial) -> None:
    assert scenarios.run_two_tickers(trial) == []
