"""The dashboard: all six figures against the plain way, memory, writers meanwhile, and the page from the cache.

The plain way is what one writes first: a loop over ORM objects for the sums, one query a day and one a category
or brand. Both give the same numbers, which is checked.
"""

import argparse
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from bench.houses import DATABASES, open_house
from bench.measure import Measurement, run_measured
from bench.report import Figure, at_least, at_most, show
from tests.support.houses import build_house, email_of, sign_in
from webapp.database import write_transaction
from webapp.extensions import db, settings
from webapp.models import Brand, Category, Metric, Outflow, Product, ProductModel, User
from webapp.models.base import utc_now
from webapp.services import metrics
from webapp.services.metrics_days import last_days, split_into_days

PRODUCTS, MOVEMENTS = 100_000, 1_075_000  # of which a million go out
PAGES = 200
REPEATS = 3


def main() -> int:
    """Measure on each database; 1 when a promise is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    parser.add_argument("--movements", type=int, default=MOVEMENTS)
    parser.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part]()))
        return 0
    is_fine = True
    for database in options.databases:
        with open_house(database, options.products, options.movements) as environment:
            is_fine &= show(f"metrics, {database}", _measure(environment))
    return 0 if is_fine else 1


def _measure(environment: Mapping[str, str]) -> list[Figure]:
    plain, idle = _run("plain", environment), _run("idle", environment)
    ours = [_run("ours", environment) for _ in range(REPEATS)]
    answers = [json.loads(run.output) for run in (plain, *ours)]
    if any(answer["values"] != answers[0]["values"] for answer in answers):
        raise AssertionError("the plain way and ours disagree")
    seconds = min(answer["seconds"] for answer in answers[1:])
    page = json.loads(_run("page", environment).output)
    writes = json.loads(_run("writes", environment).output)
    memory = max(run.peak_mb for run in ours) - idle.peak_mb
    return [
        Figure("plain way", answers[0]["seconds"], "s"),
        Figure("all six", seconds, "s"),
        at_least("faster than the plain way", answers[0]["seconds"] / seconds, 50),
        at_most("memory on top of an idle process", memory, 25, "MB"),
        at_most("longest write meanwhile", writes["longest"] * 1000, 250, "ms"),
        at_most("page from the cache, p95", page["p95"] * 1000, 10, "ms"),
        Figure("page from the cache, median", page["median"] * 1000, "ms"),
    ]


def _run(part: str, environment: Mapping[str, str]) -> Measurement:
    return run_measured([sys.executable, "-m", "bench.metrics", "--part", part], environment)


def _idle() -> dict[str, Any]:
    """The process alone: what everything else is measured against."""
    with build_house(os.environ).app_context():
        return {"users": db.session.scalar(select(func.count()).select_from(User))}


def _ours() -> dict[str, Any]:
    with build_house(os.environ).app_context():
        started = time.monotonic()
        values = metrics.compute_metrics()
        return {"seconds": time.monotonic() - started, "values": _comparable(values)}


def _comparable(values: Mapping[str, Any]) -> dict[str, Any]:
    stock, sold = values["metrics:product"], values["metrics:sales"]["all_time"]
    return {
        "stock": [stock["units"], stock["value_at_cost"], stock["value_at_price"], stock["low_stock"]],
        "sold": [sold["sales"], sold["units"], sold["revenue"], sold["cost"]],
        "days": [[day["date"], day["revenue"]] for day in values["metrics:daily_sales"]["days"]],
        "categories": sorted(
            [row["name"], row["products"]] for row in values["metrics:products_by_category"]["rows"]
        ),
        "brands": sorted(
            [row["name"], row["products"]]
            for row in values["metrics:products_by_brand"]["rows"]
            if row["name"]
        ),
    }


def _plain() -> dict[str, Any]:
    with build_house(os.environ).app_context():
        started = time.monotonic()
        values = {
            "stock": _plain_stock(),
            "sold": _plain_sold(),
            "days": _plain_days(),
            "categories": sorted(
                [item.name, count]
                for item in db.session.scalars(select(Category))
                if (count := len(_all(select(Product).where(Product.category_id == item.id))))
            ),
            "brands": sorted(
                [item.name, count]
                for item in db.session.scalars(select(Brand))
                if (count := len(_all(_products_of(item))))
            ),
        }
        return {"seconds": time.monotonic() - started, "values": values}


def _all(query: Any) -> Any:
    return db.session.scalars(query.execution_options(yield_per=None)).all()


def _products_of(brand: Brand) -> Any:
    return select(Product).join(ProductModel).where(ProductModel.brand_id == brand.id)


def _stream(query: Any) -> Any:
    """A thousand at a time: kinder than all at once, or the plain way would need gigabytes."""
    return db.session.scalars(query.execution_options(yield_per=1000))


def _plain_stock() -> list[Any]:
    units, cost, price, low = 0, Decimal(0), Decimal(0), 0
    for product in _stream(select(Product)):
        units += product.quantity
        cost += product.quantity * product.cost_price
        price += product.quantity * product.sell_price
        low += product.quantity <= product.reorder_level
    return [units, f"{cost:.2f}", f"{price:.2f}", low]


def _plain_sold() -> list[Any]:
    sales, units, revenue, cost = 0, 0, Decimal(0), Decimal(0)
    for outflow in _stream(select(Outflow).where(Outflow.kind == "sale")):
        sales += 1
        units += outflow.quantity
        revenue += outflow.quantity * outflow.unit_price
        cost += outflow.quantity * outflow.unit_cost
    return [sales, units, f"{revenue:.2f}", f"{cost:.2f}"]


def _plain_days() -> list[Any]:
    found = []
    days = last_days(utc_now(), settings().zone, 30)
    for span in split_into_days(days[0], days[-1], settings().zone):
        sold = select(Outflow).where(
            Outflow.kind == "sale", Outflow.occurred_at >= span.start, Outflow.occurred_at < span.end
        )
        revenue = sum((item.quantity * item.unit_price for item in _all(sold)), Decimal(0))
        found.append([span.day.isoformat(), f"{revenue:.2f}"])
    return found


def _writes() -> dict[str, Any]:
    """The longest of the small writes that go on while all figures are computed."""
    app, durations, done = build_house(os.environ), [0.0], threading.Event()

    def write() -> None:
        with app.app_context():
            while not done.wait(0.01):
                started = time.monotonic()
                with write_transaction() as session:
                    now = utc_now() - timedelta(days=1)
                    session.merge(Metric(key="bench", value={"at": now.isoformat()}, computed_at=now))
                durations.append(time.monotonic() - started)

    thread = threading.Thread(target=write)
    with app.app_context():
        thread.start()
        metrics.compute_metrics()
        done.set()
        thread.join()
    return {"longest": max(durations), "writes": len(durations) - 1}


def _page() -> dict[str, Any]:
    """The dashboard as the server makes it, for a signed-in reader, once the cache is filled."""
    app = build_house(os.environ)
    with app.app_context():
        metrics.get_metrics()
        user = db.session.scalars(select(User).where(User.email == email_of("admin"))).one()
        client = app.test_client()
        sign_in(client, user)
        durations = sorted(_time(lambda: client.get("/")) for _ in range(PAGES))
    return {"p95": durations[int(PAGES * 0.95)], "median": statistics.median(durations)}


def _time(action: Callable[[], Any]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "idle": _idle,
    "ours": _ours,
    "plain": _plain,
    "writes": _writes,
    "page": _page,
}

if __name__ == "__main__":
    sys.exit(main())
