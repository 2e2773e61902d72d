"""Number 32, small: with more jobs than the monitor counts, each page asks no more of the database than with few."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from tests.support.databases import on_both_databases
from tests.support.history import fill_history
from tests.support.houses import sign_in
from webapp.extensions import db
from webapp.models import User
from webapp.services import monitor
from webapp.services.monitor import COUNT_CAP, SHOWN_STATES, JobFilter

pytestmark = [pytest.mark.soak, pytest.mark.slow]

FEW, MANY = 200, COUNT_CAP + 5_000
NEW_KINDS = 2  # the filter leaps from one kind to the next, and few jobs may lack the house's own
PAGES = [
    "/monitor/",
    "/monitor/jobs/",
    *(f"/monitor/jobs/?state={state}" for state in SHOWN_STATES),
    "/monitor/jobs/?kind=export",
    "/monitor/jobs/?window=30d",
    "/monitor/failures/?window=30d",
    "/monitor/logs/",
]


@on_both_databases
def test_32_counts_and_pages_are_bounded(app: Flask, admin: User, client: FlaskClient) -> None:
    sign_in(client, admin)
    _fill(app, FEW)
    before = {page: _measure(app, client, page) for page in PAGES}
    _fill(app, MANY)
    for page in PAGES:
        statements, size = _measure(app, client, page)
        assert statements <= before[page][0] + NEW_KINDS, page
        assert size < 400_000, page
    with app.app_context():
        found = monitor.count_matching(admin, JobFilter())
        assert (found.value, found.is_capped) == (COUNT_CAP, True)
        db.session.remove()
    assert f"{COUNT_CAP:,}+" in client.get("/monitor/jobs/").text


def _fill(app: Flask, jobs: int) -> None:
    with app.app_context(), db.engine.begin() as connection:
        fill_history(connection, jobs, datetime.now(UTC), seed=jobs)


def _measure(app: Flask, client: FlaskClient, page: str) -> tuple[int, int]:
    """Return how many statements a page costs and how large it is."""
    client.get(page)  # what a process remembers from then on is not the page's
    with _counted(app) as statements:
        answer = client.get(page)
    assert answer.status_code == 200, page
    return len(statements), len(answer.data)


@contextmanager
def _counted(app: Flask) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)
