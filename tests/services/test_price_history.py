"""What a product has cost and was sold for over time."""

from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import save, stock_up
from webapp.extensions import db
from webapp.models import Product, User
from webapp.services.price_history import list_prices


def change(**values: Any) -> None:
    """Change the product A."""
    save("products", {"serial_number": "A"} | values, source="form")


def product_id() -> int:
    """Return the id of the product A."""
    return db.session.scalars(select(Product.id).where(Product.serial_number == "A")).one()


@on_both_databases
def test_prices_are_told_from_the_newest_back_to_the_first(session: Session, viewer: User) -> None:
    stock_up("A")
    change(sell_price=Decimal("5.50"))
    change(title="Another title")
    change(cost_price=Decimal("3.00"), sell_price=Decimal("6.00"))
    now = {"cost_price": Decimal("3.00"), "sell_price": Decimal("6.00")}
    rows = list_prices(viewer, product_id(), now).rows
    told = [(row.cost_price, row.sell_price, row.old_cost_price, row.old_sell_price) for row in rows]
    assert told == [
        (Decimal("3.00"), Decimal("6.00"), Decimal("2.50"), Decimal("5.50")),
        (Decimal("2.50"), Decimal("5.50"), None, Decimal("4.90")),
        (Decimal("2.50"), Decimal("4.90"), None, None),
    ]
    assert [row.origin.source for row in rows] == ["form", "form", "test"]


def test_more_prices_than_are_shown_are_said_to_exist(session: Session, viewer: User) -> None:
    stock_up("A")
    for cents in range(1, 4):
        change(sell_price=Decimal(f"7.0{cents}"))
    now = {"cost_price": Decimal("2.50"), "sell_price": Decimal("7.03")}
    assert list_prices(viewer, product_id(), now, limit=3).has_older
    assert not list_prices(viewer, product_id(), now, limit=4).has_older
