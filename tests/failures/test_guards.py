"""Each part of the protocol carries weight: with it taken out, the failure test that covers it notices."""

import pytest

from tests.support import scenarios
from tests.support.broker import Broker
from tests.support.trials import Trial

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_without_the_reaper_the_job_of_a_dead_worker_runs_for_ever(trial: Trial) -> None:
    problems = scenarios.kill_in_a_batch(trial, ["reaper"], patience=5)
    assert "status: processing, not completed" in problems


def test_with_the_checkpoint_in_a_transaction_of_its_own_rows_are_saved_twice(trial: Trial) -> None:
    problems = scenarios.kill_in_a_batch(trial, ["same transaction"])
    assert "outflows: 70, not 60" in problems


def test_without_the_fence_a_worker_that_wakes_up_saves_rows_twice(trial: Trial) -> None:
    problems = scenarios.freeze_past_the_lease(trial, ["fence"])
    assert any(problem.startswith("lines: ") for problem in problems), problems


def test_without_the_fence_a_job_ends_twice(trial: Trial) -> None:
    problems = scenarios.finish_after_the_reaper(trial, ["fence"])
    assert any(problem.startswith("terminal events: ") for problem in problems), problems


def test_without_the_heartbeat_a_long_step_loses_its_job(trial: Trial) -> None:
    problems = scenarios.work_longer_than_the_lease(trial, ["heartbeat"])
    assert any(problem.startswith("tries: ['crash'") for problem in problems), problems


def test_without_the_conditional_claim_every_message_is_a_try(trial: Trial) -> None:
    problems = scenarios.double_every_message(trial, ["claim"])
    assert any(problem.startswith("tries: ") for problem in problems), problems


def test_without_the_relay_a_job_whose_message_was_lost_waits_for_ever(
    broker_trial: Trial, broker: Broker
) -> None:
    problems = scenarios.create_without_a_broker(broker_trial, broker, ["relay"])
    assert "status: pending, not completed" in problems


def test_without_the_slot_row_each_ticker_runs_each_slot(trial: Trial) -> None:
    problems = scenarios.run_two_tickers(trial, ["slot row"])
    assert problems
    assert "runs in" in problems[0]
