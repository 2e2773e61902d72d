"""Many rows as plain tuples, with the values that SQLAlchemy gives."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import save, stock_up
from webapp.models import Outflow, Product
from webapp.services.fetching import fetch_tuples

pytestmark = on_both_databases

MOMENT = datetime(2026, 1, 31, 14, 30, tzinfo=UTC)


def test_values_are_those_of_their_types(session: Session) -> None:
    stock_up("A", "B", quantity=9)
    sale = {"product": "A", "quantity": 1, "unit_price": Decimal("2.5"), "occurred_at": MOMENT}
    save("outflows", sale | {"reference": "1"}, sale | {"reference": "2", "product": "B", "reason": "Ça"})
    columns = Outflow.__table__.c
    query = select(*columns).order_by(columns.id)
    read = fetch_tuples(session, query, {})
    assert read == [tuple(row) for row in session.execute(query)]
    assert {type(row) for row in read} == {tuple}
    found = dict(zip(columns.keys(), read[0], strict=True))
    assert (found["unit_price"], found["occurred_at"], found["reason"]) == (Decimal("2.5"), MOMENT, None)
    assert found["occurred_at"].tzinfo is UTC


def test_a_sum_of_amounts_is_an_amount(session: Session) -> None:
    stock_up("A", "B", quantity=3)
    for query in (
        select(func.sum(Product.cost_price)),
        select(func.coalesce(func.sum(Product.sell_price), 0)),
    ):
        ((value,),) = fetch_tuples(session, query, {})
        assert (type(value), value) == (Decimal, session.scalar(query))


def test_nothing_found_is_no_rows(session: Session) -> None:
    assert list(fetch_tuples(session, select(Product.id, Product.cost_price), {})) == []


def test_an_error_of_the_driver_is_the_one_that_callers_know(session: Session) -> None:
    with pytest.raises(DBAPIError):
        fetch_tuples(session, select(text("nothing")).select_from(Product), {})
    session.rollback()
