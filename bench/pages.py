"""Lists and records of a large shop: how long the server takes for each page, and in how many queries.

``python -m bench.pages --products 100000 --movements 500000 --database sqlite``; with ``--here`` the shop that the
settings name is read instead of a new one.
"""

import argparse
import gc
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import func, select

from bench.filling import fill
from bench.houses import DATABASES, open_house
from bench.report import Figure, at_most, show
from tests.support.databases import counted_queries
from tests.support.houses import build_house, close_house, sign_in
from webapp.extensions import db
from webapp.models import Inflow, Outflow, Product, User
from webapp.models.base import utc_now
from webapp.resources.registry import RESOURCES, get_resource
from webapp.services import metrics, queries

TARGET_MS = 100
SEARCHES = {
    "products": ("coffee", "co", "c", "green coffee", "0042", "nowhere-to-be-found"),
    "inflows": ("po-2025", "42", "nowhere-to-be-found"),
    "outflows": ("inv-2025", "0042", "nowhere-to-be-found"),
}


def main() -> int:
    """Fill a shop on each database, measure every page, and say which promises were missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--movements", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=20, help="how often each page is asked for")
    parser.add_argument("--pages", default="", help="only those whose address has this in it")
    parser.add_argument("--database", choices=DATABASES, action="append")
    parser.add_argument("--here", action="store_true", help="read the shop that the settings name")
    options = parser.parse_args()
    if options.here:
        return 0 if show("Pages", measure(os.environ, options.rounds, options.pages)) else 1
    is_met = True
    for database in options.database or DATABASES:
        started = time.monotonic()
        with open_house(database) as environment:
            fill(environment, options.products, options.movements)
            filling = Figure("demo load", time.monotonic() - started, "s")
            figures = [filling, *measure(environment, options.rounds, options.pages)]
        title = f"Pages, {options.products:,} products, {options.movements:,} movements, {database}"
        is_met &= show(title, figures)
    return 0 if is_met else 1


def measure(environment: Mapping[str, str], rounds: int, wanted: str = "") -> Iterator[Figure]:
    """Yield the time and the number of queries of each page of the house."""
    app = build_house(environment)
    app.config["TESTING"] = True  # an error is shown, not a page about it
    with app.app_context():
        metrics.get_metrics()  # as a worker has them ready from its start
        admin = db.session.scalars(select(User)).first()
        pages = [address for address in dict.fromkeys(list_addresses()) if wanted in address]
        db.session.remove()
        gc.freeze()  # as the web process does
        client = app.test_client()
        sign_in(client, admin)  # type: ignore[arg-type]  # there is one
        for address in pages:
            with counted_queries() as asked:
                client.get(address)
            median, slow = _time_page(client, address, rounds)
            yield at_most(f"{address}, 95th percentile", slow, TARGET_MS, "ms")
            yield Figure(f"{address}, median", median, "ms")
            yield Figure(f"{address}, queries", len(asked), "")
    close_house(app)


def list_addresses() -> Iterator[str]:
    """Yield what is measured: every list in every order, searches, filters, pages far down, and records."""
    for resource in RESOURCES.values():
        base = f"/{resource.name}/"
        yield base
        for field in resource.fields:
            if field.sortable:
                yield from (f"{base}?sort={field.name}", f"{base}?sort=-{field.name}")
        yield from (f"{base}?q={words.replace(' ', '+')}" for words in SEARCHES.get(resource.name, ()))
    yield from _list_filtered()
    yield from _list_far_down()
    yield from _list_records()


def _list_filtered() -> Iterator[str]:
    serial = db.session.scalar(select(Product.serial_number).where(Product.id > 500).limit(1))
    low, high = db.session.execute(select(func.min(Outflow.unit_price), func.max(Outflow.unit_price))).one()
    yield "/products/?category=Beverages"
    yield "/products/?category=Beverages&sort=-sell_price&q=coffee"
    yield "/products/?q=coffee&sort=quantity"
    yield "/products/?low_stock=1"
    yield from (
        f"/products/?no_movement_since={day}" for day in (_find_day(300), _find_day(60), _find_day(7))
    )
    yield "/products/?quantity_from=5&quantity_to=9"
    yield f"/products/?sell_price_from={high}"
    yield f"/outflows/?product={serial}"
    yield "/outflows/?kind=adjustment"
    yield "/outflows/?kind=sale&sort=-unit_price"
    yield f"/outflows/?unit_price_from={high}"
    yield f"/outflows/?unit_price_to={low}"
    yield "/outflows/?occurred_at_from=2026-01-01&occurred_at_to=2026-01-31"
    yield "/inflows/?kind=purchase&quantity_from=100"


def _find_day(days: int) -> str:
    """Return the day so long before the last sale: what did not move since then are few, many or most products."""
    last = db.session.scalar(select(func.max(Outflow.occurred_at))) or utc_now()
    return (last - timedelta(days=days)).date().isoformat()


def _list_far_down() -> Iterator[str]:
    """Yield pages in the middle of long lists: where the one before them ended is what their address says."""
    for name, sort in (("products", "title"), ("outflows", "-occurred_at"), ("inflows", "quantity")):
        resource = get_resource(name)
        middle = (db.session.scalar(select(func.max(resource.model.id))) or 0) // 2
        place = db.session.scalar(
            select(getattr(resource.model, sort.removeprefix("-"))).where(resource.model.id == middle)
        )
        yield f"/{name}/?sort={sort}&cursor={queries.write_cursor('n', place, middle)}"


def _list_records() -> Iterator[str]:
    """Yield the pages of records: an ordinary one of every kind, and those on which the most hangs."""
    for resource in RESOURCES.values():
        middle = db.session.scalar(select(func.max(resource.model.id))) or 0
        yield f"/{resource.name}/{middle // 2 + 1}"
        yield f"/{resource.name}/{middle // 2 + 1}/history"
    for name, column in (
        ("products", Outflow.product_id),
        ("categories", Product.category_id),
        ("product_models", Product.product_model_id),
        ("suppliers", Inflow.supplier_id),
    ):
        busiest = select(column).where(column.is_not(None)).group_by(column).order_by(func.count().desc())
        yield f"/{name}/{db.session.scalar(busiest.limit(1))}"
    yield "/audit/"
    yield "/audit/?resource=products"


def _time_page(client: FlaskClient, address: str, rounds: int) -> tuple[float, float]:
    """Return the median and the 95th percentile of the server's time in ms."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        answer = client.get(address)
        times.append(1000 * (time.perf_counter() - started))
        assert answer.status_code == 200, f"{address}: {answer.status}"  # noqa: S101 - a bench of errors is none
    ordered = sorted(times)
    return statistics.median(ordered), ordered[-(-len(ordered) * 95 // 100) - 1]


if __name__ == "__main__":
    sys.exit(main())
