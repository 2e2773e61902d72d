"""What was in stock at the end of each of the last days, and what went in and out on them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Integer, ScalarSelect, column, func, select, values

from webapp.extensions import db, settings
from webapp.models import Inflow, Outflow
from webapp.models.base import Moment, utc_now
from webapp.services.metrics_days import DaySpan, last_days, split_into_days

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

    (A join with the spans, or a sum by day, would let PostgreSQL compare every movement with every day.)
    """
    rows = [(number, span.start, span.end) for number, span in enumerate(spans)]
    listed = values(column("number", Integer), column("start", Moment), column("end", Moment), name="span")
    span = listed.data(rows).cte("spans")

    def total(model: Any, *conditions: Any) -> ScalarSelect[Any]:
        return (
            select(func.coalesce(func.sum(model.quantity), 0))
            .where(
                model.product_id == product_id,
                model.occurred_at >= span.c.start,
                model.occurred_at < span.c.end,
                *conditions,
            )
            .correlate(span)
            .scalar_subquery()
        )

    query = select(span.c.number, total(Inflow), total(Outflow), total(Outflow, Outflow.kind == "sale"))
    return [
        (spans[number].day, int(received), int(out), int(sold))
        for number, received, out, sold in db.session.execute(query)
    ]
