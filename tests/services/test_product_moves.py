"""What has not moved is found at any time, whether its note is empty, old or up to date."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select

from tests.support.databases import on_both_databases
from tests.support.factories import product, save, stock_up
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Inflow, Outflow, Product, ProductMove
from webapp.resources.registry import get_resource
from webapp.services import product_moves, queries
from webapp.services.product_moves import note_moves, note_moves_in_turn
from webapp.services.record_removal import remove_records
from webapp.services.records import SaveContext

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


def list_still(days: int, **filters: str) -> list[str]:
    """Return the serial numbers of the products that have not moved in the last days, as a list shows them."""
    products = get_resource("products")
    wanted = {"no_movement_since": (NOW - days * DAY).isoformat(timespec="minutes"), **filters}
    page = queries.list_records(products, products.fields[:1], filters=wanted, sort="serial_number")
    db.session.rollback()
    return [row.serial_number for row in page.rows]


def move(resource: str, serial_number: str, days: int, reference: str) -> None:
    """Save a movement of so many days ago, or change the one of this reference."""
    at = NOW - days * DAY
    save(resource, {"reference": reference, "product": serial_number, "quantity": 1, "occurred_at": at})


def remove(resource: str, record_id: int) -> None:
    with write_transaction() as session:
        assert remove_records(session, get_resource(resource), [record_id], SaveContext(None, "test")) == {}


def noted() -> dict[str, datetime | None]:
    """Return what is noted, by serial number."""
    query = select(Product.serial_number, ProductMove.moved_at).join(
        ProductMove, ProductMove.product_id == Product.id
    )
    found = {row[0]: row[1] for row in db.session.execute(query)}
    db.session.rollback()
    return found


@on_both_databases
def test_what_stands_still_is_found_before_and_after_it_is_noted(app: Flask) -> None:
    with app.app_context():
        save("categories", {"name": "Tools"})
        save("products", *(product(number) for number in ("A", "B", "C", "D")))
        move("inflows", "A", 100, "P-1")
        move("inflows", "B", 100, "P-1")
        move("outflows", "B", 5, "S-1")
        move("inflows", "C", 20, "P-1")
        for _ in range(2):
            assert list_still(50) == ["A", "D"]
            assert list_still(10) == ["A", "C", "D"]
            assert list_still(10, q="product c") == ["C"]
            note_moves()
        moments = noted()
        assert moments == {"A": NOW - 100 * DAY, "B": NOW - 5 * DAY, "C": NOW - 20 * DAY, "D": None}
        move("outflows", "A", 1, "S-2")
        assert list_still(50) == ["D"], "a note that is old hides nothing that has moved since"


@on_both_databases
def test_a_product_without_a_note_gets_one(app: Flask) -> None:
    with app.app_context():
        save("categories", {"name": "Tools"})
        save("products", product("A"), product("B"))
        move("inflows", "A", 100, "P-1")
        with write_transaction() as session:
            session.execute(delete(ProductMove))
        assert list_still(50) == [], "the case: rows of code that knew no notes"
        note_moves()
        assert list_still(50) == ["A", "B"]
        assert noted() == {"A": NOW - 100 * DAY, "B": None}


@on_both_databases
def test_a_note_goes_with_its_product(app: Flask) -> None:
    with app.app_context():
        save("categories", {"name": "Tools"})
        save("products", product("A"), product("B"))
        remove("products", db.session.scalars(select(Product.id).where(Product.serial_number == "A")).one())
        left = db.session.scalars(select(ProductMove.product_id)).all()
        assert left == db.session.scalars(select(Product.id)).all()


@on_both_databases
def test_a_note_that_could_be_too_new_is_emptied(app: Flask) -> None:
    with app.app_context():
        stock_up("A", "B", "C")
        for number in ("A", "B", "C"):
            move("inflows", number, 100, "P-1")
            move("outflows", number, 5, "S-1")
        note_moves()
        assert list_still(50) == []
        sold = {
            row[0]: row[1]
            for row in db.session.execute(select(Product.serial_number, Outflow.id).join(Outflow.product))
        }
        remove("outflows", sold["A"])
        move("outflows", "B", 90, "S-1")  # the same movement, on another day
        assert noted()["C"] == NOW - 5 * DAY
        assert list_still(50) == ["A", "B"]
        note_moves()
        assert list_still(50) == ["A", "B"]
        assert noted()["A"] == NOW - 100 * DAY


@on_both_databases
def test_a_product_that_goes_takes_its_note_along(app: Flask) -> None:
    with app.app_context():
        stock_up("A", "B")
        remove("products", db.session.scalars(select(Product.id).where(Product.serial_number == "A")).one())
        assert list(noted()) == ["B"]


@on_both_databases
@pytest.mark.slow
def test_any_history_leaves_no_note_that_is_newer_than_the_truth(app: Flask) -> None:
    dice = random.Random(7)  # noqa: S311 - repeatable, not secret
    with app.app_context():
        numbers = [f"N-{place}" for place in range(6)]
        stock_up(*numbers)
        for number in numbers:
            save(
                "inflows",
                {"reference": "P", "product": number, "quantity": 99, "occurred_at": NOW - 300 * DAY},
            )
        for step in range(60):
            number = dice.choice(numbers)
            if step % 7 == 6:
                note_moves()
            elif step % 5 == 4:
                some = db.session.scalars(select(Outflow.id).order_by(Outflow.id)).all()
                db.session.rollback()
                remove("outflows", dice.choice(some))
            else:
                move("outflows", number, dice.randrange(1, 200), f"S-{dice.randrange(12)}")
            days = dice.randrange(1, 250)
            assert list_still(days) == expect_still(days), f"step {step}"


def expect_still(days: int) -> list[str]:
    """Return the same by looking at everything."""
    moved = set()
    for model in (Inflow, Outflow):
        query = select(Product.serial_number).join(model.product)
        moved |= set(db.session.scalars(query.where(model.occurred_at >= NOW - days * DAY)))
    numbers = db.session.scalars(select(Product.serial_number).order_by(Product.serial_number)).all()
    db.session.rollback()
    return [number for number in numbers if number not in moved]


def test_all_products_have_their_turn(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_moves, "LOOKED_AT", 2)
    monkeypatch.setattr(product_moves, "BATCH", 1)
    checks: list[None] = []
    with app.app_context():
        stock_up("A", "B", "C", "D", "E")
        for number in "ABCDE":
            move("inflows", number, 3, "P-1")
        for minute in range(3):
            assert None in noted().values()
            note_moves_in_turn(NOW + timedelta(minutes=minute), lambda: checks.append(None))
        assert set(noted().values()) == {NOW - 3 * DAY}
        assert len(checks) == 6
