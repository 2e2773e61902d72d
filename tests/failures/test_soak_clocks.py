"""Number 30: machines whose clocks are hours off. Leases trust the database's clock alone."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.support.faults import VARIABLE, Fault, Plan
from tests.support.jobs import look_at
from tests.support.processes import wait_until
from tests.support.stack import Started
from tests.support.trials import PATIENCE, TIMINGS, Trial, judge_tries, lease_left
from webapp.extensions import db
from webapp.models import JobAttempt, JobLog

pytestmark = [pytest.mark.soak, pytest.mark.integration, pytest.mark.slow]
POSTGRES = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

HOURS = 2
NEAR = timedelta(minutes=10)
SKEWS = pytest.mark.parametrize("hours", [HOURS, -HOURS], ids=["fast", "slow"])


def _start_skewed(trial: Trial, hours: int, *faults: Fault) -> Started:
    variables = {VARIABLE: Plan(trial.folder, faults).to_text(), "CLOCK_SKEW_SECONDS": str(hours * 3600)}
    return trial.stack.start_worker("tests.support.skewed_worker", **TIMINGS, **variables)


@POSTGRES
@SKEWS
def test_a_worker_whose_clock_is_off_keeps_its_lease(trial: Trial, hours: int) -> None:
    gate = Fault("after_batch", "wait", number=2)
    job_id = trial.ask_import()
    _start_skewed(trial, hours, gate)
    trial.wait_for_fault(gate)
    _start_skewed(trial, -hours)  # whose reaper sees the lease of the other
    beat = look_at(job_id).heartbeat_at
    wait_until(lambda: _has_beaten_past_a_lease(job_id, beat), lambda: "no heartbeat", patience=PATIENCE)
    assert 0 < lease_left(job_id) <= float(TIMINGS["LEASE_SECONDS"])
    trial.open_gate(gate)
    trial.settle(job_id)
    assert trial.judge(job_id) + judge_tries(job_id) == []


def _has_beaten_past_a_lease(job_id: int, since: object) -> bool:
    now = look_at(job_id).heartbeat_at
    return (now - since).total_seconds() > 2 * float(TIMINGS["LEASE_SECONDS"])  # type: ignore[operator]


@POSTGRES
@SKEWS
def test_the_job_of_a_dead_worker_is_given_back_in_time(trial: Trial, hours: int) -> None:
    fault = Fault("in_batch", "kill", number=3)
    job_id = trial.ask_import()
    _start_skewed(trial, hours, fault)
    trial.wait_for_fault(fault)
    trial.settle(job_id)
    assert trial.judge(job_id) + judge_tries(job_id, "crash", "completed") == []
    job = look_at(job_id)
    tries = db.session.scalars(select(JobAttempt).where(JobAttempt.job_id == job_id)).all()
    told = [job.completed_at, *(moment for each in tries for moment in (each.started_at, each.ended_at))]
    assert all(moment and abs(moment - job.created_at) < NEAR for moment in told), told
    wait_until(
        lambda: _first_line(job_id), lambda: "no line was kept", patience=PATIENCE
    )  # written a little later
    logged = _first_line(job_id)
    assert logged is not None
    assert abs(logged - job.created_at - timedelta(hours=hours)) < NEAR, "the clock was not off"


def _first_line(job_id: int) -> datetime | None:
    db.session.rollback()
    return db.session.scalars(select(JobLog.at).where(JobLog.job_id == job_id)).first()
