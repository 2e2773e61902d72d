"""What the failure tests stand on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.support.broker import Broker
from tests.support.stack import Stack
from tests.support.trials import Trial
from webapp.extensions import db
from webapp.models import User


@pytest.fixture
def trial(session: Session, stack: Stack, editor: User, tmp_path: Path) -> Iterator[Trial]:
    """A house in which workers fail as planned. Nothing runs until the test starts it."""
    folder = tmp_path / "faults"
    folder.mkdir()
    yield Trial(stack, editor, folder)
    session.rollback()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running Redis that the test may stop and freeze."""
    made = Broker(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def broker_trial(
    make_app: Callable[..., Flask], stack: Stack, broker: Broker, editor: User, tmp_path: Path
) -> Iterator[Trial]:
    """The same with a Redis of its own."""
    folder = tmp_path / "faults"
    folder.mkdir()
    stack.environment = stack.environment | {"REDIS_URL": broker.url}
    with make_app(REDIS_URL=broker.url).app_context():
        yield Trial(stack, editor, folder)
        db.session.remove()
