"""The monitor with a million ended jobs: how long the server takes for each of its pages.

``python -m bench.monitor --jobs 100000 --database sqlite``
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient
from sqlalchemy import select, text

from bench.houses import DATABASES, open_house
from bench.report import Figure, at_most, show
from tests.support.history import fill_history
from tests.support.houses import build_house, close_house, sign_in
from webapp.extensions import db
from webapp.models import TaskNotification, User
from webapp.services.monitor_types import SHOWN_STATES

TARGET_MS = 200
LIST = "/monitor/jobs/"
FILTERS = {
    "kind": "kind=import",
    "resource": "resource=brands",
    "state and kind": "state=failed&kind=export",
    "kind and resource": "kind=export&resource=products",
    "the last hour": "window=1h",
    "the last 30 days": "window=30d",
    "failed of 7 days": "state=failed&window=7d",
    "a text in the newest": "q=word+77",
    "a text that is nowhere": "q=nowhere-to-be-found",
    "failed with a text": "state=failed&q=cause+7",
    "a rare cause": f"state=failed&fingerprint={290:064x}",
}
OTHERS = {
    "overview": "/monitor/",
    "failures of 24 hours": "/monitor/failures/?window=24h",
    "failures of 30 days": "/monitor/failures/?window=30d",
    "schedules": "/monitor/schedules/",
    "consumers": "/monitor/consumers/",
    "logs": "/monitor/logs/",
    "logs of a level": "/monitor/logs/?level=ERROR",
    "logs with a text": "/monitor/logs/?q=word+77",
}


def main() -> int:
    """Fill a house on each database, measure every page, and say which promises were missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.monitor", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20, help="how often each page is asked for")
    parser.add_argument("--pages", default="", help="only those whose name has this in it")
    parser.add_argument("--database", choices=DATABASES, action="append")
    options = parser.parse_args()
    is_met = True
    for database in options.database or DATABASES:
        with open_house(database) as environment:
            figures = list(_measure(environment, options))
        is_met &= show(f"Monitor, {options.jobs:,} ended jobs, {database}", figures)
    return 0 if is_met else 1


def _measure(environment: Mapping[str, str], options: argparse.Namespace) -> Iterator[Figure]:
    app = build_house(environment)
    app.config["TESTING"] = True  # an error is shown, not a page about it
    with app.app_context():
        started = time.monotonic()
        admin = fill(options.jobs)
        yield Figure("filling the house", time.monotonic() - started, "s")
        pages = {name: address for name, address in list_pages() if options.pages in name}
        db.session.remove()
    client = app.test_client()
    sign_in(client, admin)
    for name, address in pages.items():
        fastest, median, slow = _time_page(client, address, options.rounds)
        if address.startswith(LIST):
            yield at_most(f"{name}, median", median, TARGET_MS, "ms")
        else:
            yield Figure(f"{name}, median", median, "ms")
        yield Figure(f"{name}, fastest", fastest, "ms")
        yield Figure(f"{name}, 95th percentile", slow, "ms")
    close_house(app)


def fill(jobs: int) -> User:
    """Fill the house, let PostgreSQL look at it as its autovacuum would, and return its administrator."""
    with db.engine.begin() as connection:
        fill_history(connection, jobs, datetime.now(UTC))
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (ANALYZE)"))
    return db.session.scalars(select(User).where(User.role == "admin")).first()  # type: ignore[return-value]


def list_pages() -> Iterator[tuple[str, str]]:
    """Return what is measured: each page's name and address."""
    job = TaskNotification
    yield "list: all", LIST
    for state in SHOWN_STATES:
        yield f"list: {state}", f"{LIST}?state={state}"
    for name, query in FILTERS.items():
        yield f"list by {name}", f"{LIST}?{query}"
    busiest = db.session.scalars(select(job.user_id).where(job.user_id.is_not(None)).limit(1)).one()
    yield "list by user", f"{LIST}?user={busiest}"
    yield "list by user and state", f"{LIST}?user={busiest}&state=failed"
    middle = db.session.scalars(select(job.id).order_by(job.id).offset(1000).limit(1)).one()
    yield "list: a page far down", f"{LIST}?cursor={middle}"
    oldest = (datetime.now(UTC) - timedelta(days=60)).date()
    yield "list by days of long ago", f"{LIST}?window=custom&since={oldest}&until={oldest}"
    yield from OTHERS.items()
    failed = db.session.scalars(
        select(job.task_id).where(job.status == "failed").order_by(job.id.desc()).limit(1)
    )
    yield "one job", f"{LIST}{failed.one()}"


def _time_page(client: FlaskClient, address: str, rounds: int) -> tuple[float, float, float]:
    """Return the least, the median and the 95th percentile of the server's time in ms, after a round to warm up.

    The least is what the machine can do; on a busy one the others tell more about its load.
    """
    times = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        answer = client.get(address)
        times.append(1000 * (time.perf_counter() - started))
        assert answer.status_code == 200, f"{address}: {answer.status}"  # noqa: S101 - a bench of errors is none
    ordered = sorted(times[1:])
    return ordered[0], statistics.median(ordered), ordered[-(-len(ordered) * 95 // 100) - 1]


if __name__ == "__main__":
    sys.exit(main())
