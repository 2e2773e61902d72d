"""Stock and sales of the last days, in the days of the house's zone."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from tests.support.databases import on_both_databases
from tests.support.factories import quantity_of, save, stock_up
from tests.support.houses import MakeApp
from webapp.extensions import db
from webapp.models import Product
from webapp.services.product_days import StockDay, list_stock_days

# A day of 23 hours, one of 25, clocks that go back across midnight, and a day that never was.
EDGES = [
    ("Europe/Berlin", datetime(2026, 4, 1, 9, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 28, 9, tzinfo=UTC)),
    ("America/St_Johns", datetime(2010, 11, 9, 15, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2012, 1, 3, 15, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 5, 5, 18, 20, tzinfo=UTC)),
]

Moved = list[tuple[datetime, int, bool]]  # when, by how many pieces, and whether as a sale


@pytest.mark.parametrize(("zone", "now"), EDGES, ids=[f"{zone}-{now:%m}" for zone, now in EDGES])
def test_each_day_has_its_own_movements(make_app: MakeApp, zone: str, now: datetime) -> None:
    with make_app(APP_TIMEZONE=zone, ALLOW_NEGATIVE_STOCK="1").app_context():
        moved = fill(now)
        found = list_stock_days(product_id(), quantity_of("A"), 12, now)
    assert found == add_up(moved, ZoneInfo(zone), now, 12)


@on_both_databases
def test_both_databases_count_alike(make_app: MakeApp) -> None:
    now = datetime(2026, 5, 5, 18, tzinfo=UTC)
    with make_app(ALLOW_NEGATIVE_STOCK="1").app_context():
        moved = fill(now)
        assert list_stock_days(product_id(), quantity_of("A"), 12, now) == add_up(
            moved, ZoneInfo("UTC"), now, 12
        )


def product_id() -> int:
    """Return the id of the product A."""
    return db.session.scalars(select(Product.id).where(Product.serial_number == "A")).one()


def fill(now: datetime) -> Moved:
    """Move the product A's stock at many moments around the last days, some of them yet to come."""
    stock_up("A", "B")
    dice = random.Random(3)  # noqa: S311 - repeatable, not secret
    moved: Moved = []
    rows: dict[str, list[dict[str, object]]] = {"inflows": [], "outflows": []}
    for number in range(160):
        at = now + timedelta(minutes=15 * dice.randrange(-14 * 96, 2 * 96))
        kind = dice.choice(["purchase", "sale", "adjustment"])
        name = "inflows" if kind == "purchase" else "outflows"
        pieces = dice.randint(1, 5)
        rows[name].append(
            {"reference": f"M-{number}", "product": "A", "quantity": pieces, "kind": kind, "occurred_at": at}
        )
        moved.append((at, pieces if name == "inflows" else -pieces, kind == "sale"))
    for name, values in rows.items():
        save(name, *values)
    return moved


def add_up(moved: Moved, zone: ZoneInfo, now: datetime, count: int) -> list[StockDay]:
    """Return the same days by looking at every movement: the local date of each says where it belongs."""
    last = now.astimezone(zone).date()
    return [_add_up_day(moved, zone, last - timedelta(days=back)) for back in reversed(range(count))]


def _add_up_day(moved: Moved, zone: ZoneInfo, day: date) -> StockDay:
    dated = [(at.astimezone(zone).date(), delta, is_sale) for at, delta, is_sale in moved]
    return StockDay(
        day=day,
        stock=sum(delta for on, delta, _ in dated if on <= day),
        received=sum(delta for on, delta, _ in dated if on == day and delta > 0),
        out=-sum(delta for on, delta, _ in dated if on == day and delta < 0),
        sold=-sum(delta for on, delta, is_sale in dated if on == day and is_sale),
    )


def test_a_product_that_never_moved_has_ninety_days_of_nothing(app: Flask) -> None:
    with app.app_context():
        stock_up("A")
        days = list_stock_days(product_id(), 0)
    assert len(days) == 90
    assert {(row.stock, row.received, row.out, row.sold) for row in days} == {(0, 0, 0, 0)}
