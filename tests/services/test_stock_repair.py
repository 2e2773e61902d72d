"""A repair beside those who sell: it waits for them, and they for it, and every piece is counted."""

import threading
from contextvars import Context

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import actions, quantity_of, save, stock_up
from webapp.database import write_transaction
from webapp.models import Product
from webapp.services import stock
from webapp.services.stock_repair import repair_stock

pytestmark = [on_both_databases, pytest.mark.slow]

NAMES = ("A", "B", "C")
SALES = 25


def spoil() -> None:
    """Add pieces to every product that no movement has brought, locked in the order of every writer."""
    with write_transaction() as session:
        session.execute(select(Product.id).order_by(Product.id).with_for_update())
        query = update(Product).values(quantity=Product.quantity + 7)
        session.execute(query.execution_options(synchronize_session=False))


def test_a_repair_loses_no_sale_that_is_made_meanwhile(session: Session, app: Flask) -> None:
    stock_up(*NAMES, quantity=2 * SALES)
    sold: list[str] = []
    selling = threading.Event()

    def sell(order: tuple[str, ...]) -> None:
        with app.app_context():
            for _ in range(SALES):
                selling.set()
                sold.extend(actions(save("outflows", *({"product": name, "quantity": 1} for name in order))))

    threads = [threading.Thread(target=Context().run, args=(sell, order)) for order in (NAMES, NAMES[::-1])]
    for thread in threads:
        thread.start()
    selling.wait()
    rounds = 0
    while any(thread.is_alive() for thread in threads):
        spoil()
        assert {item.serial_number for item in repair_stock(None)} == set(NAMES)
        rounds += 1
    for thread in threads:
        thread.join()
    assert rounds, "the sales were over before the first repair"
    assert sold == ["created"] * (2 * SALES * len(NAMES))
    assert ([quantity_of(name) for name in NAMES], stock.verify_stock()) == ([0, 0, 0], [])
