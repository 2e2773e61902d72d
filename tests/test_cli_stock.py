"""The command that recomputes the stock, and sets it right."""

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import quantity_of, save, stock_up
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Change, Event, Product, User
from webapp.services import stock

pytestmark = [on_both_databases, pytest.mark.slow]


def run(app: Flask, *options: str) -> tuple[int, str, str]:
    """Run ``stock verify`` and return its exit code, what it printed, and what it said beside."""
    result = app.test_cli_runner().invoke(args=["stock", "verify", *options])
    return result.exit_code, result.stdout, result.stderr


def spoil(serial_number: str, quantity: int) -> None:
    """Store a quantity that no movement says."""
    with write_transaction() as session:
        query = update(Product).where(Product.serial_number == serial_number).values(quantity=quantity)
        session.execute(query.execution_options(synchronize_session=False))


def test_a_sound_stock_ends_well(app: Flask, session: Session) -> None:
    stock_up("A", quantity=3)
    assert run(app) == (0, "", "0 products differ from their movements.\n")
    assert run(app, "--fix") == (0, "", "0 repaired. 0 products differ now.\n")


def test_what_differs_is_reported_and_left_alone(app: Flask, session: Session) -> None:
    stock_up("A", "B", "C", quantity=3)
    spoil("A", 7)
    spoil("C", -1)
    expected = "A: stored 7, movements say 3\nC: stored -1, movements say 3\n"
    assert run(app) == (1, expected, "2 products differ from their movements.\n")
    assert quantity_of("A") == 7
    spoil("A", 3)
    assert run(app) == (1, "C: stored -1, movements say 3\n", "1 product differs from its movements.\n")
    spoil("C", 3)


def test_what_differs_is_repaired_and_kept_in_the_audit(app: Flask, session: Session, admin: User) -> None:
    stock_up("A", "B", quantity=3)
    save("outflows", {"product": "B", "quantity": 2})
    spoil("A", 7)
    spoil("B", 0)
    said = run(app, "--fix")
    assert said == (0, "A: was 7, set to 3\nB: was 0, set to 1\n", "2 repaired. 0 products differ now.\n")
    assert (quantity_of("A"), quantity_of("B"), stock.verify_stock()) == (3, 1, [])
    query = select(Change).where(Change.source == "cli").order_by(Change.id)
    assert [
        (item.actor_id, item.resource, item.action, item.before, item.after)
        for item in session.scalars(query)
    ] == [
        (admin.id, "products", "updated", {"quantity": 7}, {"quantity": 3}),
        (admin.id, "products", "updated", {"quantity": 0}, {"quantity": 1}),
    ]
    assert session.scalars(select(Product.version).order_by(Product.serial_number)).all() == [2, 3]


def test_a_product_that_is_low_by_the_repair_is_told(app: Flask, session: Session) -> None:
    stock_up("A", quantity=3)
    save("products", {"serial_number": "A", "reorder_level": 5})
    spoil("A", 9)
    run(app, "--fix")
    db.session.rollback()
    assert session.scalars(select(Event.name)).all() == ["stock_low"]


def test_more_products_than_a_batch_has(app: Flask, session: Session) -> None:
    stock_up(*(f"N-{place:03}" for place in range(450)), quantity=1)
    with write_transaction() as writing:
        writing.execute(update(Product).values(quantity=5).execution_options(synchronize_session=False))
    code, lines, said = run(app, "--fix")
    assert (code, len(lines.splitlines()), said) == (0, 450, "450 repaired. 0 products differ now.\n")
