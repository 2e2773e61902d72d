"""The bell: whoever rings it waits for no broker."""

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest
import redis
from flask import Flask
from sqlalchemy.orm import Session

from tasks import queue
from tasks.bell import PATIENCE_SECONDS, Bell
from tests.support.jobs import ask, claim
from tests.support.processes import on_this_machine
from webapp.models import User


def waiting_for(thaw: threading.Event) -> Callable[[], None]:
    """Return a ring that a frozen broker holds until then."""

    def ring() -> None:
        thaw.wait(20)

    return ring


def test_a_quick_queue_has_the_message_when_the_ring_returns() -> None:
    bell, heard = Bell(), []
    bell.ring(lambda: heard.append(1))
    assert bell.wait(5)
    assert heard == [1]


def test_a_frozen_queue_costs_its_first_caller_a_moment_and_the_others_nothing() -> None:
    bell, thaw, heard = Bell(), threading.Event(), []
    bell.ring(waiting_for(thaw))
    begun = time.monotonic()
    for number in range(100):
        bell.ring(lambda number=number: heard.append(number))  # type: ignore[misc]
    assert time.monotonic() - begun < 50 * PATIENCE_SECONDS  # were each to wait, it would be a hundred
    thaw.set()
    assert bell.wait(5)
    assert heard == list(range(100))


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.bell.WAITING_RINGS", 2)
    bell, thaw, heard = Bell(), threading.Event(), []
    bell.ring(waiting_for(thaw))
    for _ in range(5):
        bell.ring(lambda: heard.append(1))
    thaw.set()
    assert bell.wait(5)
    assert len(heard) == 2


def test_a_batch_that_creates_jobs_is_not_slowed_by_a_frozen_queue(
    app: Flask, session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    thaw = threading.Event()
    monkeypatch.setattr(queue.huey.storage, "enqueue", lambda *_: thaw.wait(20))
    run = claim(ask(editor))
    begun = time.monotonic()
    for _ in range(10):
        with run.batch():
            ask(editor)
    assert time.monotonic() - begun < 1.5  # the queue would have taken 200 s
    thaw.set()
    assert queue.bell.wait(5)


@pytest.mark.integration
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_frozen_redis_delays_neither_a_request_nor_a_batch(
    app: Flask, session: Session, editor: User, redis_url: str
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        server = int(client.info("server")["process_id"])
    run = claim(ask(editor))
    os.kill(server, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        ask(editor)
        assert time.monotonic() - begun < on_this_machine(1)
        begun = time.monotonic()
        for number in range(10):
            with run.batch():
                run.checkpoint = {"line": number}
                ask(editor)
        assert time.monotonic() - begun < on_this_machine(1.5)
    finally:
        os.kill(server, signal.SIGCONT)
    assert queue.bell.wait(20)
