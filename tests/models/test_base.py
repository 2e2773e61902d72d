"""The types that every table shares: exact money, moments with a zone, the database's clock."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import product, save
from webapp.database import write_transaction
from webapp.models import Metric, Product
from webapp.models.clock import db_now

pytestmark = on_both_databases

AMOUNTS = st.decimals(min_value=0, max_value=Decimal("99999999999999.9999"), places=4)


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(amount=AMOUNTS)
def test_an_amount_comes_back_to_the_last_digit(session: Session, amount: Decimal) -> None:
    save("categories", {"name": "Tools"})
    save("products", product("A", cost_price=amount))
    session.rollback()
    assert session.scalars(select(Product.cost_price)).one() == amount


def test_sums_of_amounts_are_exact(session: Session) -> None:
    save("categories", {"name": "Tools"})
    save("products", *(product(str(number), cost_price=Decimal("0.1")) for number in range(30)))
    total = session.scalars(select(func.sum(Product.cost_price))).one()
    assert (total, type(total)) == (Decimal(3), Decimal)


def test_amounts_are_compared_as_amounts(session: Session) -> None:
    save("categories", {"name": "Tools"})
    save("products", product("A", cost_price=Decimal("9.99")), product("B", cost_price=Decimal("10.00")))
    found = session.scalars(select(Product.serial_number).where(Product.cost_price < Decimal("10.00"))).all()
    assert found == ["A"]


def test_a_moment_without_a_zone_is_refused(session: Session) -> None:
    naive = datetime(2026, 1, 31, 14, 30)  # noqa: DTZ001 - the point
    with pytest.raises(StatementError, match="a moment needs its time zone"), write_transaction() as writing:
        writing.add(Metric(key="a", value={}, computed_at=naive))


def test_a_moment_comes_back_in_utc(session: Session) -> None:
    moment = datetime(2026, 1, 31, 14, 30, 5, 123456, tzinfo=timezone(timedelta(hours=-3)))
    with write_transaction() as writing:
        writing.add(Metric(key="a", value={}, computed_at=moment))
    session.expire_all()
    found = session.scalars(select(Metric.computed_at)).one()
    assert (found, found.tzinfo) == (moment, UTC)


def test_the_databases_clock_compares_with_stored_moments(session: Session) -> None:
    now = session.scalars(select(db_now(0))).one()
    with write_transaction() as writing:
        writing.add(Metric(key="a", value={}, computed_at=now))
    for seconds, expected in ((-1, []), (1, ["a"])):
        found = session.scalars(select(Metric.key).where(Metric.computed_at < db_now(seconds))).all()
        assert found == expected
    assert now.tzinfo is UTC


def test_the_databases_clock_understands_parts_of_a_second(session: Session) -> None:
    start, end = session.execute(select(db_now(0.25), db_now(10.75))).one()
    assert timedelta(seconds=10) < end - start < timedelta(seconds=11)
