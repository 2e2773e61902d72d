"""What was in stock at the end of each of the last days, and what went in and out on them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import ARRAY, CTE, JSON, ColumnElement, ScalarSelect, func, literal, select, type_coerce

from webapp.extensions import db, settings
from webapp.models import Inflow, Outflow
from webapp.models.base import Moment, utc_now
from webapp.services.metrics_days import DaySpan, last_days, split_into_days

BOUNDS = ("start", "end")
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class StockDay:
    """A local day of a product: its stock at the end, and the pieces that moved; ``sold`` is a part of ``out``."""

    day: date
    stock: int = 0
    received: int = 0
    out: int = 0
    sold: int = 0


def list_stock_days(
    product_id: int, quantity: int, count: int = 90, now: datetime | None = None
) -> list[StockDay]:
    """Return the last days up to today, oldest first, counted backwards from the quantity there is now."""
    zone = settings().zone
    days = last_days(now or utc_now(), zone, count)
    spans = split_into_days(days[0], days[-1], zone)
    later = DaySpan(date.max, spans[-1].end, END_OF_TIME)  # what is dated ahead has changed the quantity, too
    moved = dict.fromkeys([*days, later.day], StockDay(date.max))
    for day, received, out, sold in _sum_by_span(product_id, [*spans, later]):
        known = moved[day]
        moved[day] = replace(
            known, received=known.received + received, out=known.out + out, sold=known.sold + sold
        )
    stock = quantity - moved[later.day].received + moved[later.day].out
    rows = []
    for day in reversed(days):
        rows.append(replace(moved[day], day=day, stock=stock))
        stock += moved[day].out - moved[day].received
    return rows[::-1]


def _sum_by_span(product_id: int, spans: Sequence[DaySpan]) -> list[tuple[date, int, int, int]]:
    """Return what came in, went out and was sold in each span: one statement, one range of an index each.

    (A join with the spans, or a sum by day, would let PostgreSQL compare every movement with every day. Both sums
    of what went out come as one list, so that those movements are read once.)
    """
    is_sqlite = db.engine.dialect.name == "sqlite"
    list_of: Any = func.json_array if is_sqlite else func.json_build_array
    pieces = func.coalesce(func.sum(Outflow.quantity), 0)
    sold = func.coalesce(func.sum(Outflow.quantity).filter(Outflow.kind == "sale"), 0)
    span = _tabulate(spans)

    def total(model: Any, column: Any) -> ScalarSelect[Any]:
        return (
            select(column)
            .where(
                model.product_id == product_id,
                model.occurred_at >= span.c.start,
                model.occurred_at < span.c.end,
            )
            .correlate(span)
            .scalar_subquery()
        )

    received = func.coalesce(func.sum(Inflow.quantity), 0)
    went = type_coerce(list_of(pieces, sold), JSON)
    query = select(span.c.place, total(Inflow, received), total(Outflow, went))
    return [
        (spans[place].day, int(came), int(out), int(of_them_sold))
        for place, came, (out, of_them_sold) in db.session.execute(query)
    ]


def _tabulate(spans: Sequence[DaySpan]) -> CTE:
    """Return the spans as a table with the place of each. They are few parameters, so that the statement is compiled once."""
    dialect = db.engine.dialect
    columns: list[ColumnElement[Any]]
    if dialect.name == "postgresql":
        bounds = [literal([getattr(span, name) for span in spans], ARRAY(Moment)) for name in BOUNDS]
        given = func.unnest(*bounds).table_valued(*BOUNDS, with_ordinality="number").render_derived("given")
        columns = [given.c.number - 1, *(given.c[name] for name in BOUNDS)]
    else:
        write: Any = Moment().dialect_impl(dialect).bind_processor(dialect)
        listed = orjson.dumps([[write(getattr(span, name)) for name in BOUNDS] for span in spans]).decode()
        given = func.json_each(listed).table_valued("key", "value", name="given")
        parts = [func.json_extract(given.c.value, f"$[{number}]") for number in range(len(BOUNDS))]
        columns = [given.c.key, *parts]
    names = ("place", *BOUNDS)
    return select(*(column.label(name) for column, name in zip(columns, names, strict=True))).cte("spans")
