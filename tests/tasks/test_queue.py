"""What a worker does next: what the broker hands out or, while it is in doubt, what the table says."""

import time
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
from flask import Flask
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.orm import Session

from tasks import queue
from tasks.queue import DOUBT_SECONDS, PAUSE_SECONDS, bell, huey
from tests.support.jobs import ask, look_at
from webapp.models import User


def fail(*_: Any) -> NoReturn:
    """Do what a broker does that is away."""
    raise RedisConnectionError("away")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses of a broken broker are waited for in full by the failure tests."""
    monkeypatch.setattr(queue, "PAUSE_SECONDS", 0.01)


@pytest.fixture
def lost_job(session: Session, editor: User) -> int:
    """A due job whose message is nowhere."""
    job_id = ask(editor)
    assert bell.wait(5)
    huey.storage.flush_queue()
    return job_id


@pytest.fixture
def broken(lost_job: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A broker that has just failed."""
    monkeypatch.setattr(huey.storage, "dequeue", fail)
    assert huey.dequeue() is None
    yield
    huey._broken_at = None


def test_a_broker_that_is_well_and_empty_is_believed(lost_job: int) -> None:
    assert huey.dequeue() is None


@pytest.mark.usefixtures("broken")
def test_while_the_broker_is_away_the_table_is_asked(lost_job: int) -> None:
    found = huey.dequeue()
    assert (found.id, found.args) == (look_at(lost_job).task_id, (lost_job,))


@pytest.mark.usefixtures("broken")
def test_a_ring_that_fails_is_a_reason_for_doubt(
    editor: User, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    huey._broken_at = None
    monkeypatch.setattr(huey.storage, "enqueue", fail)
    ask(editor)
    assert bell.wait(5)
    assert huey.dequeue() is not None


@pytest.mark.usefixtures("broken")
def test_doubt_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huey.storage, "dequeue", lambda: None)
    huey._broken_at = time.monotonic() - DOUBT_SECONDS
    assert huey.dequeue() is None


@pytest.mark.usefixtures("broken")
def test_a_job_that_nobody_can_claim_is_not_run_into_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "PAUSE_SECONDS", PAUSE_SECONDS / 5)
    begun = time.monotonic()
    for _ in range(4):
        assert huey.dequeue() is not None
    assert time.monotonic() - begun >= 3 * PAUSE_SECONDS / 5


@pytest.mark.usefixtures("broken")
def test_where_a_scheduler_belongs_each_minute_begins_with_its_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huey, "is_scheduled_here", True)
    monkeypatch.setattr(huey, "_minute", None)
    names = [huey.dequeue().name for _ in range(4)]
    assert names.count("keep_house") == 1
    assert names[-1] == "export_data_async"


def test_huey_asks_the_broker_for_nothing_beside_a_message(
    app: Flask, session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = ask(editor)
    assert bell.wait(5)
    message = huey.dequeue()
    for name in ("peek_many", "delete_data", "put_data", "pop_data", "enqueue", "read_schedule"):
        monkeypatch.setattr(huey.storage, name, fail)
    huey.execute(message)
    assert huey.read_schedule() == []
    assert look_at(job_id).token == 1
