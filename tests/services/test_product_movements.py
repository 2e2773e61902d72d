"""The movements of a product with the stock that each has left."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.databases import counted_queries, on_both_databases
from tests.support.factories import actions, quantity_of, save, stock_up
from webapp.extensions import db
from webapp.models import Inflow, Outflow, Product, User
from webapp.services.product_movements import Movement, list_movements

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def product_id(serial_number: str) -> int:
    """Return the id of a product."""
    found = db.session.scalar(select(Product.id).where(Product.serial_number == serial_number))
    assert found is not None
    return found


def move(direction: str, reference: str, quantity: int, at: datetime, **values: Any) -> None:
    """Record a movement of the product A."""
    row = {"reference": reference, "product": "A", "quantity": quantity, "occurred_at": at}
    assert actions(save(direction, row | values)) == ["created"]


def read_all(reader: User, limit: int) -> list[Movement]:
    """Return all movements of the product A, page by page."""
    rows: list[Movement] = []
    cursor: str | None = ""
    while cursor is not None:
        page = list_movements(reader, product_id("A"), quantity_of("A"), cursor, limit)
        rows += page.rows
        cursor = page.next_cursor
    return rows


@on_both_databases
def test_every_movement_says_what_it_left(session: Session, viewer: User) -> None:
    stock_up("A", "B", quantity=500)
    dice = random.Random(7)  # noqa: S311 - repeatable, not secret
    for number in range(40):  # few moments, so that many movements share one
        at = START + timedelta(hours=dice.randrange(8))
        move(dice.choice(["inflows", "outflows"]), f"M-{number}", dice.randint(1, 9), at)
    rows = read_all(viewer, limit=7)
    assert [row.balance for row in rows] == balances_forwards()
    assert rows[0].balance == quantity_of("A")
    assert len({(row.resource, row.id) for row in rows}) == len(rows) == 41


def balances_forwards() -> list[int]:
    """Return the stock after each movement, newest first, added up from nothing: the other way round."""
    moved = [(row.occurred_at, 0, row.id, row.quantity) for row in _all(Inflow)]
    moved += [(row.occurred_at, 1, row.id, -row.quantity) for row in _all(Outflow)]
    stock, found = 0, []
    for *_place, delta in sorted(moved):
        stock += delta
        found.append(stock)
    return found[::-1]


def _all(model: Any) -> list[Any]:
    return list(db.session.scalars(select(model).where(model.product_id == product_id("A"))))


def test_a_page_is_the_same_wherever_the_pages_before_it_ended(session: Session, viewer: User) -> None:
    stock_up("A", quantity=50)
    for number in range(9):
        move("outflows", f"M-{number}", 1, START)
    assert read_all(viewer, limit=1) == read_all(viewer, limit=4) == read_all(viewer, limit=100)


@pytest.mark.parametrize("cursor", ["x", "~~", "2026-01-01~7~1", "2026-01-01~0~-1", f"2026-01-01~0~{2**70}"])
def test_a_cursor_that_cannot_be_read_means_the_first_page(
    session: Session, viewer: User, cursor: str
) -> None:
    stock_up("A", quantity=5)
    page = list_movements(viewer, product_id("A"), 5, cursor)
    assert [row.balance for row in page.rows] == [5]


def test_a_movement_says_where_it_came_from(session: Session, viewer: User, editor: User) -> None:
    stock_up("A", quantity=5)
    row = {"reference": "F-1", "product": "A", "quantity": 2}
    save("inflows", row, actor_id=editor.id, source="form")
    page = list_movements(viewer, product_id("A"), quantity_of("A"))
    (formed,) = [row.origin for row in page.rows if row.reference == "F-1"]
    assert formed is not None
    assert (formed.user, formed.source) == ("editor@shop.example", "form")


def test_the_number_of_queries_does_not_depend_on_the_rows(session: Session, viewer: User) -> None:
    stock_up("A", quantity=50)
    counts = []
    for number in range(12):
        move("outflows", f"M-{number}", 1, START)
        with counted_queries() as found:
            list_movements(viewer, 1, 50, limit=5)
        counts.append(len(found))
    assert set(counts) == {3}
