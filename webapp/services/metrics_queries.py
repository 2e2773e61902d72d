"""The SQL behind the figures of sales: few statements, each over a set, the same on both databases.

Amounts come back exact, as Decimals with four places; rounding is for whoever shows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, literal, not_, or_, select, union_all

from webapp.models import Outflow, Product
from webapp.services.exact_sum import exact_sum
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


SOLD = (
    func.count(),
    func.coalesce(func.sum(Outflow.quantity), 0),
    exact_sum(Outflow.quantity, Outflow.unit_price),
    exact_sum(Outflow.quantity, Outflow.unit_cost),
)


def _is_between(start: datetime, end: datetime) -> ColumnElement[bool]:
    return and_(Outflow.occurred_at >= start, Outflow.occurred_at < end)


def _is_within(spans: Sequence[DaySpan]) -> ColumnElement[bool]:
    return or_(false(), *(_is_between(start, end) for start, end in join_spans(spans)))


def _sales(columns: Sequence[Any]) -> Sales:
    rows, units, revenue, cost = columns
    return Sales(rows, int(units), revenue, cost)


def find_other_sales(connection: Connection, spans: Sequence[DaySpan]) -> Sales:
    """Return all that was ever sold outside the spans: with what was sold on their days it is everything."""
    # NOT keeps SQLite at the table: an index would have it look up most of the rows one by one.
    return _sales(connection.execute(select(*SOLD).where(IS_SALE, not_(_is_within(spans)))).one())


def find_sales_by_day(connection: Connection, spans: Sequence[DaySpan]) -> dict[date, Sales]:
    """Return what was sold on each day that has a span.

    One statement of one range of the index a span. (A join with a list of days can make PostgreSQL
    compare every outflow with every day; a CASE of sixty branches is slow everywhere.)
    """
    if not spans:
        return {}
    parts = [
        select(literal(number), *SOLD).where(IS_SALE, _is_between(span.start, span.end))
        for number, span in enumerate(spans)
    ]
    by_day: dict[date, Sales] = {}
    for number, *columns in connection.execute(union_all(*parts)):
        day = spans[number].day
        by_day[day] = by_day.get(day, Sales()) + _sales(columns)
    return by_day


def find_best_sellers(connection: Connection, spans: Sequence[DaySpan], limit: int) -> list[dict[str, Any]]:
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
            exact_sum(Outflow.quantity, Outflow.unit_price).label("revenue"),
            exact_sum(Outflow.quantity, Outflow.unit_cost).label("cost"),
        )
        .select_from(best)
        .join(Product, Product.id == best.c.product_id)
        .join(Outflow, Outflow.product_id == Product.id)
        .where(is_counted)
        .group_by(Product.id, Product.serial_number, Product.title)
        .order_by(units.desc(), Product.id)
    )
    return [{**row, "units": int(row["units"])} for row in connection.execute(statement).mappings()]
