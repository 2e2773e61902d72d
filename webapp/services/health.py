"""Whether the database and the broker answer, and how fast. Nobody waits long to find out."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask, current_app
from sqlalchemy import text

from webapp.extensions import db, settings
from webapp.models.base import utc_now
from webapp.services.monitor_types import Health

FRESH_SECONDS = 2.0  # an answer this old is asked for again
PATIENCE_SECONDS = 0.3  # what a page waits for the first answer of all

STATE = "stockroom_broker"
Probe = Callable[[], int]


@dataclass
class _State:
    """What one application of one process knows of its broker."""

    probe: Probe | None = None
    latest: Health | None = None
    asked_at: float | None = None
    answered: threading.Event = field(default_factory=threading.Event)


def set_broker_probe(app: Flask, probe: Probe) -> None:
    """Tell how the queue is asked for the number of its messages; the services do not know the queue."""
    app.extensions[STATE] = _State(probe)


def check_database() -> Health:
    """Ask the database the simplest question."""
    name = "sqlite" if settings().is_sqlite else "postgresql"
    begun = time.perf_counter()
    db.session.execute(text("SELECT 1"))
    return Health(name, is_ok=True, latency=time.perf_counter() - begun, checked_at=utc_now())


def check_broker() -> Health:
    """Return the newest answer of the queue; a new one is asked for on a thread of its own.

    A question that stays open is an answer, too: a page is drawn without waiting for a frozen broker.
    """
    state, name = _state(), _broker_name()
    if state.probe is None:
        return Health(name, is_ok=False, latency=None, checked_at=None, problem="no queue is bound")
    now = time.monotonic()
    if state.asked_at is None and (state.latest is None or _age(state.latest) > FRESH_SECONDS):
        state.asked_at = now
        state.answered.clear()
        threading.Thread(target=_ask, args=(state, state.probe, name), name="broker", daemon=True).start()
        state.answered.wait(PATIENCE_SECONDS)
    if state.asked_at is not None and time.monotonic() - state.asked_at >= PATIENCE_SECONDS:
        return _silent(name)
    return state.latest or _silent(name)


def _silent(name: str) -> Health:
    return Health(name, is_ok=False, latency=None, checked_at=utc_now(), problem="it does not answer")


def _age(health: Health) -> float:
    return (utc_now() - health.checked_at).total_seconds() if health.checked_at else float("inf")


def _ask(state: _State, probe: Probe, name: str) -> None:
    begun = time.perf_counter()
    waiting, problem = None, ""
    try:
        waiting = probe()
    except Exception as error:  # noqa: BLE001 - whatever it is, the broker is not well
        problem = str(error) or type(error).__name__
    finally:
        latency = time.perf_counter() - begun
        state.latest = Health(name, not problem, latency, utc_now(), waiting, problem)
        state.asked_at = None
        state.answered.set()


def _broker_name() -> str:
    return "redis" if settings().redis_url else "sqlite"


def _state() -> _State:
    state: _State = current_app.extensions.setdefault(STATE, _State())
    return state
