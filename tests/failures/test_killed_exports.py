"""Exports whose worker is killed at any moment: the file is whole or absent, and in the end it is there."""

import hashlib
import json
import os
import random
import signal
import time
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Settings
from tests.support.jobs import look_at, outcomes
from tests.support.processes import wait_until
from tests.support.stack import Stack
from webapp.extensions import db
from webapp.models import JobAttempt, User
from webapp.models.base import utc_now
from webapp.services import demo, files
from webapp.services.export_requests import request_export

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PRODUCTS = 6_000
KILLS = 10
LONGEST_WAIT = 1.0  # seconds: longer than the export takes on a machine of its own
FORMAT = "ndjson"


@pytest.fixture
def shop(session: Session) -> None:
    """Many products, so that an export takes long enough to be killed in it."""
    demo.load_demo(PRODUCTS, 0, seed=1)


def kill_owner(job_id: int, wait: float) -> bool:
    """Wait for a worker to take a job, and a while; kill it, if it is still at it."""
    wait_until(lambda: look_at(job_id).lease_owner, lambda: "nobody takes the job", patience=90)
    time.sleep(wait)
    job = look_at(job_id)
    if job.status != "processing":
        return False
    os.kill(int((job.lease_owner or "").split(":")[1]), signal.SIGKILL)
    return True


def duration_of_last_try(job_id: int) -> float:
    """The seconds that the try took that nobody disturbed: a later kill than that would come too late."""
    query = select(JobAttempt).where(JobAttempt.job_id == job_id).order_by(JobAttempt.id.desc()).limit(1)
    attempt = db.session.scalars(query).one()
    assert attempt.ended_at is not None
    return (attempt.ended_at - attempt.started_at).total_seconds()


def check_file(job_id: int) -> None:
    """A job that is not completed names no file; one that is names a whole one."""
    job = look_at(job_id)
    if job.status != "completed":
        assert (job.file_path, job.sha256) == (None, None)
        return
    assert job.file_path is not None
    with files.open_for_reading(job.file_path) as file:
        data = file.read()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (job.file_size, job.sha256)
    rows = [json.loads(line) for line in data.splitlines()]
    assert len(rows) == job.record_count == PRODUCTS
    assert len({row["serial_number"] for row in rows}) == PRODUCTS


@pytest.mark.parametrize("kills", [1, pytest.param(KILLS, marks=pytest.mark.soak)])
def test_the_file_of_a_killed_worker_is_whole_or_absent(
    shop: None, session: Session, stack: Stack, settings: Settings, editor: User, kills: int
) -> None:
    rng = random.Random(20261123)  # noqa: S311 - moments, not secrets
    stack.start_worker()
    killed, longest_wait = 0, LONGEST_WAIT
    while killed < kills:
        job_id = request_export(editor, "products", FORMAT).id
        killed += kill_owner(job_id, rng.uniform(0, longest_wait))
        check_file(job_id)
        wait_until(
            lambda job_id=job_id: look_at(job_id).status in {"completed", "failed"},  # type: ignore[misc]
            lambda job_id=job_id: f"the job is {look_at(job_id).status}",  # type: ignore[misc]
            patience=90,
        )
        assert look_at(job_id).status == "completed", outcomes(job_id)
        check_file(job_id)
        longest_wait = min(longest_wait, duration_of_last_try(job_id))
    files.sweep_orphans(utc_now(), older_than=timedelta(seconds=-1))
