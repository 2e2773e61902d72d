"""The dashboard's figures, computed: values ready for JSON, amounts as text rounded to cents.

All figures of one computation come from one snapshot of the database, on a connection of its own:
they agree with each other, and neither does a write wait for them nor do they wait for a write.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from sqlalchemy import Connection

from webapp.extensions import db, settings
from webapp.models.base import utc_now
from webapp.services import metrics_queries as queries
from webapp.services.exact_sum import exact_sum
from webapp.services.metrics_days import last_days, split_into_days
from webapp.services.metrics_queries import Sales
from webapp.services.metrics_stock import (
    StockGroup,
    find_lowest_stocks,
    find_stock_by_brand,
    find_stock_by_category,
    find_stock_groups,
    total_stock,
)

PERIOD_DAYS = 30
BEST_SELLERS = 10
LOWEST_STOCKS = 10
METRIC_KEYS = (
    "metrics:product",
    "metrics:sales",
    "metrics:daily_sales",
    "metrics:daily_sales_quantity",
    "metrics:products_by_category",
    "metrics:products_by_brand",
)
Value = dict[str, Any]


@contextmanager
def _snapshot() -> Iterator[Connection]:
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


def compute_metrics(now: datetime | None = None) -> dict[str, Value]:
    """Return the values of all six keys as of ``now`` (this moment when None)."""
    now = now or utc_now()
    with _snapshot() as connection:
        sum_of = queries.choose_sum_of_sales(connection)
        days = _find_days(connection, sum_of, now, 2 * PERIOD_DAYS)
        recent = dict(list(days.items())[PERIOD_DAYS:])
        groups = find_stock_groups(connection)
        values = (
            _product_metrics(connection, groups),
            _sales_metrics(connection, sum_of, days),
            _daily_sales(recent),
            _daily_sales_quantity(recent),
            _rows(find_stock_by_category(connection, groups)),
            _rows(find_stock_by_brand(connection, groups)),
        )
    return dict(zip(METRIC_KEYS, values, strict=True))


def get_product_metrics_raw() -> Value:
    """Return how many products there are, what their stock is worth, and which have least of it."""
    with _snapshot() as connection:
        return _product_metrics(connection, find_stock_groups(connection))


def get_sales_metrics_raw(now: datetime | None = None) -> Value:
    """Return what was sold: ever, in the last 30 local days (today's included), in the 30 before; and best."""
    with _snapshot() as connection:
        sum_of = queries.choose_sum_of_sales(connection)
        days = _find_days(connection, sum_of, now or utc_now(), 2 * PERIOD_DAYS)
        return _sales_metrics(connection, sum_of, days)


def get_daily_sales_raw(now: datetime | None = None) -> Value:
    """Return the amounts sold on each of the last 30 local days, oldest first."""
    with _snapshot() as connection:
        sum_of = queries.choose_sum_of_sales(connection)
        return _daily_sales(_find_days(connection, sum_of, now or utc_now(), PERIOD_DAYS))


def get_daily_sales_quantity_raw(now: datetime | None = None) -> Value:
    """Return the units and the number of sales on each of the last 30 local days, oldest first."""
    with _snapshot() as connection:
        sum_of = queries.choose_sum_of_sales(connection)
        return _daily_sales_quantity(_find_days(connection, sum_of, now or utc_now(), PERIOD_DAYS))


def get_products_by_category_raw() -> Value:
    """Return products, units and stock value of each category, the one of most products first."""
    with _snapshot() as connection:
        return _rows(find_stock_by_category(connection, find_stock_groups(connection)))


def get_products_by_brand_raw() -> Value:
    """Return the same of each brand; products of no brand stand under the name None."""
    with _snapshot() as connection:
        return _rows(find_stock_by_brand(connection, find_stock_groups(connection)))


def _find_days(
    connection: Connection, sum_of: type[exact_sum], now: datetime, count: int
) -> dict[date, Sales]:
    """Return each of the last local days with its sales, zero where nothing was sold."""
    zone = settings().zone
    days = last_days(now, zone, count)
    sold = queries.find_sales_by_day(connection, sum_of, split_into_days(days[0], days[-1], zone))
    return {day: sold.get(day, Sales()) for day in days}


def _product_metrics(connection: Connection, groups: Sequence[StockGroup]) -> Value:
    stock = total_stock(groups)
    profit = stock["value_at_price"] - stock["value_at_cost"]
    return {
        **_json_row(stock),
        "potential_profit": _cents(profit),
        "lowest_stocks": find_lowest_stocks(connection, LOWEST_STOCKS),
    }


def _sales_metrics(connection: Connection, sum_of: type[exact_sum], days: Mapping[date, Sales]) -> Value:
    """``days`` are those of both periods."""
    dates, zone = list(days), settings().zone
    previous, recent = dates[:PERIOD_DAYS], dates[PERIOD_DAYS:]
    spans = split_into_days(recent[0], recent[-1], zone)
    return {
        "all_time": _totals(queries.find_all_sales(connection, sum_of)),
        "last_30_days": _period(days, recent),
        "previous_30_days": _period(days, previous),
        "best_sellers": [
            {**_json_row(row), "profit": _cents(row["revenue"] - row["cost"])}
            for row in queries.find_best_sellers(connection, sum_of, spans, BEST_SELLERS)
        ],
    }


def _period(days: Mapping[date, Sales], dates: list[date]) -> Value:
    total = sum((days[day] for day in dates), Sales())
    return {"from": dates[0].isoformat(), "to": dates[-1].isoformat(), **_totals(total)}


def _totals(sold: Sales) -> Value:
    """``margin`` is the profit in percent of the revenue; None while there is no revenue."""
    profit = sold.revenue - sold.cost
    return {
        "sales": sold.sales,
        "units": sold.units,
        "revenue": _cents(sold.revenue),
        "cost": _cents(sold.cost),
        "profit": _cents(profit),
        "margin": _cents(100 * profit / sold.revenue) if sold.revenue else None,
    }


def _daily_sales(days: Mapping[date, Sales]) -> Value:
    return _daily(
        {
            "date": day.isoformat(),
            "revenue": _cents(sold.revenue),
            "cost": _cents(sold.cost),
            "profit": _cents(sold.revenue - sold.cost),
        }
        for day, sold in days.items()
    )


def _daily_sales_quantity(days: Mapping[date, Sales]) -> Value:
    return _daily(
        {"date": day.isoformat(), "units": sold.units, "sales": sold.sales} for day, sold in days.items()
    )


def _daily(days: Iterator[Value]) -> Value:
    return {"timezone": settings().app_timezone, "days": list(days)}


def _rows(rows: list[Value]) -> Value:
    return {"rows": [_json_row(row) for row in rows]}


def _json_row(row: Value) -> Value:
    return {name: _cents(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def _cents(amount: Decimal) -> str:
    """Round half to even, as accountants do; adding 0 makes -0.00 plain."""
    return str(amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN) + 0)
