"""Records through the API: lists and single ones beside their pages, and a thousand at once beside one by one.

``python -m bench.api --products 20000 --movements 200000 --database sqlite``. What is compared takes turns, so that a
busy machine slows both.
"""

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from bench.houses import DATABASES, open_house
from bench.report import Figure, at_least, at_most, show
from tests.support.api import bearer
from tests.support.houses import build_house, close_house, sign_in
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Category, Product, User
from webapp.resources.registry import get_resource
from webapp.services import api_tokens, metrics
from webapp.services.record_batch import CHUNK
from webapp.services.record_entries import make_row
from webapp.services.records import SaveContext, save_rows

ROOT = "/api/v1"
BATCH = 1_000
ONE_BY_ONE = 50  # records that are sent one by one in a round
READS = {
    "products": ("", "?q=coffee", "?category=Beverages&sort=-sell_price", "?low_stock=1", "/5000"),
    "outflows": ("", "?sort=-unit_price", "/5000"),
}
READ_MS, BATCH_MS = 100, 1_000  # 95th percentiles

_numbers = itertools.count(1)

Ask = Callable[[], TestResponse]
Values = dict[str, Any]


def main() -> int:
    """Fill a shop on each database, measure, and say which promises were missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.api", description=__doc__)
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--movements", type=int, default=200_000)
    parser.add_argument(
        "--rounds", type=int, default=60, help="how often each is asked for; batches a quarter of it"
    )
    parser.add_argument("--database", choices=DATABASES, action="append")
    options = parser.parse_args()
    is_met = True
    for database in options.database or DATABASES:
        with open_house(database, options.products, options.movements) as environment:
            figures = measure(environment | {"API_REQUESTS_PER_MINUTE": "1000000"}, options.rounds)
            title = f"API, {options.products:,} products, {options.movements:,} movements, {database}"
            is_met &= show(title, figures)
    return 0 if is_met else 1


def measure(environment: Mapping[str, str], rounds: int) -> Iterator[Figure]:
    """Yield what reading and writing records costs."""
    app = build_house(environment)
    app.config["TESTING"] = True  # an error is shown, not a page about it
    with app.app_context():
        metrics.get_metrics()  # as a worker has them ready from its start
        admin = db.session.scalars(select(User)).one()
        headers = bearer(api_tokens.create_token(admin, "bench")[1])
        db.session.remove()
        yield from measure_reading(app, admin, headers, rounds)
        yield from measure_writing(app, admin, headers, max(4, rounds // 4))
    close_house(app)


def measure_reading(app: Flask, admin: User, headers: Values, rounds: int) -> Iterator[Figure]:
    """Yield the time of each list and record as JSON, and how much of that its page takes."""
    script, browser = app.test_client(), app.test_client()
    sign_in(browser, admin)
    for kind, ends in READS.items():
        for end in ends:
            address, page = f"{ROOT}/{kind}{end}", f"/{kind}/{end.removeprefix('/')}"
            ours, theirs = take_turns(
                rounds,
                partial(time_answer, partial(script.get, address, headers=headers)),
                partial(time_answer, partial(browser.get, page)),
            )
            yield at_most(f"GET {address}, 95th percentile", find_slow(ours), READ_MS, "ms")
            share = statistics.median(ours) / statistics.median(theirs)
            yield at_most(f"GET {address}, of its page", share, 1, "×")


def measure_writing(app: Flask, admin: User, headers: Values, rounds: int) -> Iterator[Figure]:
    """Yield the time of a thousand records at once, beside sending and beside only saving as many."""
    script = app.test_client()
    for kind, make in (("products", make_product), ("inflows", make_inflow)):
        pattern = make()

        def send_many(kind: str = kind, pattern: Values = pattern) -> TestResponse:
            rows = [vary(pattern) for _ in range(BATCH)]
            return script.post(f"{ROOT}/{kind}:batch", json={"records": rows}, headers=headers)

        def send_few(kind: str = kind, pattern: Values = pattern) -> TestResponse:
            answers = [
                script.post(f"{ROOT}/{kind}", json=vary(pattern), headers=headers) for _ in range(ONE_BY_ONE)
            ]
            return answers[-1]

        many, few, saved = take_turns(
            rounds,
            partial(time_answer, send_many),
            partial(time_answer, send_few),
            partial(save_only, kind, pattern, admin.id),
        )
        yield at_most(
            f"POST {ROOT}/{kind}:batch of {BATCH:,}, 95th percentile", find_slow(many), BATCH_MS, "ms"
        )
        per_row = statistics.median(few) / ONE_BY_ONE / (statistics.median(many) / BATCH)
        yield at_least(f"POST {ROOT}/{kind}:batch, a record against one by one", per_row, 5)
        share = statistics.median(many) / statistics.median(saved)
        yield at_most(f"POST {ROOT}/{kind}:batch, of saving the rows alone", share, 2, "×")
        yield Figure(f"POST {ROOT}/{kind}, median", statistics.median(few) / ONE_BY_ONE, "ms")


def make_product() -> Values:
    """Return a new product as a script sends it."""
    category = db.session.scalar(select(Category.name).limit(1))
    return {"title": "Bench", "category": category, "cost_price": "1.25", "sell_price": "2.50", "quantity": 3}


def make_inflow() -> Values:
    """Return a delivery as a script sends it; the product is one of many."""
    serials = db.session.scalars(select(Product.serial_number).order_by(Product.id).limit(500)).all()
    return {"product": serials, "quantity": 1}


def vary(pattern: Values) -> Values:
    """Return the next record of its kind."""
    number = next(_numbers)
    if "product" in pattern:
        return pattern | {"product": pattern["product"][number % len(pattern["product"])]}
    return pattern | {"serial_number": f"BENCH-{number:08}"}


def save_only(kind: str, pattern: Values, actor_id: int) -> float:
    """Save as many rows as an import does, without a request; return the milliseconds."""
    resource = get_resource(kind)
    parsed = [
        make_row(
            resource, line, {name: _parse(resource, name, value) for name, value in vary(pattern).items()}
        )
        for line in range(1, BATCH + 1)
    ]
    started = time.perf_counter()
    for begin in range(0, BATCH, CHUNK):
        with write_transaction() as session:
            save_rows(session, resource, parsed[begin : begin + CHUNK], SaveContext(actor_id, "bench"))
    return 1000 * (time.perf_counter() - started)


def _parse(resource: Any, name: str, value: Any) -> Any:
    field = next(item for item in resource.fields if item.name == name)
    return field.type.parse(str(value))


def take_turns(rounds: int, *measured: Callable[[], float]) -> list[list[float]]:
    """Measure each in turn and return what every one of them took."""
    times: list[list[float]] = [[] for _ in measured]
    for _ in range(rounds):
        for measure_one, kept in zip(measured, times, strict=True):
            kept.append(measure_one())
    return times


def time_answer(ask: Ask) -> float:
    """Return the milliseconds of an answer."""
    started = time.perf_counter()
    answer = ask()
    taken = 1000 * (time.perf_counter() - started)
    assert answer.status_code in {200, 201}, answer.text  # noqa: S101 - a bench of errors is none
    return taken


def find_slow(times: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(times)[-(-len(times) * 95 // 100) - 1]


if __name__ == "__main__":
    sys.exit(main())
