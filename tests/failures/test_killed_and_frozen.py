"""Workers that are killed or frozen in the middle of a job, and reapers that meet them."""

import pytest

from tests.support import scenarios
from tests.support.trials import Trial

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_a_job_whose_worker_is_killed_in_a_batch_resumes_at_the_checkpoint(trial: Trial) -> None:
    assert scenarios.kill_in_a_batch(trial) == []


def test_a_worker_that_wakes_after_its_lease_writes_nothing(trial: Trial) -> None:
    assert scenarios.freeze_past_the_lease(trial) == []


def test_a_finish_that_comes_after_the_reaper_writes_nothing(trial: Trial) -> None:
    assert scenarios.finish_after_the_reaper(trial) == []


def test_a_finish_that_comes_before_the_reaper_stands(trial: Trial) -> None:
    assert scenarios.finish_before_the_reaper(trial) == []


def test_a_job_that_kills_its_workers_fails_with_its_line_and_others_are_done(trial: Trial) -> None:
    assert scenarios.poison(trial) == []
