"""The SQL behind the figures of sales: few statements, each over a set, the same on both databases.

Amounts come back exact, as Decimals with four places; rounding is for whoever shows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
)

from webapp.models import Outflow, Product
from webapp.services.exact_sum import choose_sum, exact_sum
from webapp.services.metrics_days import DaySpan, join_spans
from webapp.services.unindexed import unindexed

# Nearly every outflow is a sale: its time, or the whole table, is the way to them, never the index of kinds.
IS_SALE = unindexed(Outflow.kind) == "sale"


@dataclass(frozen=True)
class Sales:
    """What was sold in some time: rows, units and amounts."""

    sales: int = 0
    units: int = 0
    revenue: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def __add__(self, other: "Sales") -> "Sales":
        return Sales(
            self.sales + other.sales,
            self.units + other.units,
            self.revenue + other.revenue,
            self.cost + other.cost,
        )


def choose_sum_of_sales(connection: Connection) -> type[exact_sum]:
    """Return how amounts of sales are summed in this snapshot."""
    return choose_sum(connection, Outflow.id, Outflow.quantity, Outflow.unit_price, Outflow.unit_cost)


def _select_sold(
    sum_of: type[exact_sum], *conditions: ColumnElement[bool]
) -> Select[int, int, Decimal, Decimal]:
    return select(
        func.count(),
        func.coalesce(func.sum(Outflow.quantity), 0),
        sum_of(Outflow.quantity, Outflow.unit_price),
        sum_of(Outflow.quantity, Outflow.unit_cost),
    ).where(IS_SALE, *conditions)


def _is_between(
    start: datetime | BindParameter[Any], end: datetime | BindParameter[Any]
) -> ColumnElement[bool]:
    return and_(Outflow.occurred_at >= start, Outflow.occurred_at < end)


def _is_within(spans: Sequence[DaySpan]) -> ColumnElement[bool]:
    return or_(false(), *(_is_between(start, end) for start, end in join_spans(spans)))


def _sales(columns: Sequence[Any]) -> Sales:
    rows, units, revenue, cost = columns
    return Sales(rows, int(units), revenue, cost)


def find_all_sales(connection: Connection, sum_of: type[exact_sum]) -> Sales:
    """Return all that was ever sold."""
    return _sales(connection.execute(_select_sold(sum_of)).one())


def find_sales_by_day(
    connection: Connection, sum_of: type[exact_sum], spans: Sequence[DaySpan]
) -> dict[date, Sales]:
    """Return what was sold on each day that has a span.

    One range of the index a span, by one statement that is made once. (A join with a list of days can make
    PostgreSQL compare every outflow with every day; a CASE of sixty branches is slow everywhere; a UNION of
    sixty takes longer to write down than to run.)
    """
    statement = _select_sold(sum_of, _is_between(bindparam("start"), bindparam("end")))
    by_day: dict[date, Sales] = {}
    for span in spans:
        found = connection.execute(statement, {"start": span.start, "end": span.end}).one()
        by_day[span.day] = by_day.get(span.day, Sales()) + _sales(found)
    return by_day


def find_best_sellers(
    connection: Connection, sum_of: type[exact_sum], spans: Sequence[DaySpan], limit: int
) -> list[dict[str, Any]]:
    """Return the products of which most units were sold within the spans, the best first.

    First who they are, by units alone, then the amounts of those few.
    """
    if not spans:
        return []
    is_counted = and_(IS_SALE, _is_within(spans))
    # Adding 0 keeps SQLite from walking all sales there ever were in the order of an index.
    product_id = (Outflow.product_id + 0).label("product_id")
    units = func.sum(Outflow.quantity).label("units")
    best = (
        select(product_id, units)
        .where(is_counted)
        .group_by(product_id)
        .order_by(units.desc(), product_id)
        .limit(limit)
        .subquery()
    )
    statement = (
        select(
            Product.id,
            Product.serial_number,
            Product.title,
            units,
            func.count().label("sales"),
            sum_of(Outflow.quantity, Outflow.unit_price).label("revenue"),
            sum_of(Outflow.quantity, Outflow.unit_cost).label("cost"),
        )
        .select_from(best)
        .join(Product, Product.id == best.c.product_id)
        .join(Outflow, Outflow.product_id == Product.id)
        .where(is_counted)
        .group_by(Product.id, Product.serial_number, Product.title)
        .order_by(units.desc(), Product.id)
    )
    return [{**row, "units": int(row["units"])} for row in connection.execute(statement).mappings()]
