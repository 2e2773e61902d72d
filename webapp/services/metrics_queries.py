"""The SQL behind the dashboard's figures: few statements, each over a set, the same on both databases.

Amounts come back exact, as Decimals with four places; rounding is for whoever shows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal, or_, select, union_all

from webapp.models import Brand, Category, Outflow, Product, ProductModel
from webapp.services.exact_sum import exact_sum
from webapp.services.metrics_days import DaySpan, join_spans

IS_SALE = Outflow.kind == "sale"


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


def _sales(columns: Sequence[Any]) -> Sales:
    rows, units, revenue, cost = columns
    return Sales(rows, int(units), revenue, cost)


def find_all_sales(connection: Connection) -> Sales:
    """Return all that was ever sold."""
    return _sales(connection.execute(select(*SOLD).where(IS_SALE)).one())


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
    """Return the products of which most units were sold within the spans, the best first."""
    if not spans:
        return []
    units = func.sum(Outflow.quantity).label("units")
    best = (
        select(
            Outflow.product_id,
            units,
            func.count().label("sales"),
            exact_sum(Outflow.quantity, Outflow.unit_price).label("revenue"),
            exact_sum(Outflow.quantity, Outflow.unit_cost).label("cost"),
        )
        .where(IS_SALE, or_(*(_is_between(start, end) for start, end in join_spans(spans))))
        .group_by(Outflow.product_id)
        .order_by(units.desc(), Outflow.product_id)
        .limit(limit)
        .subquery()
    )
    statement = (
        select(Product.id, Product.serial_number, Product.title, *(best.c[1:]))
        .join(best, best.c.product_id == Product.id)
        .order_by(best.c.units.desc(), Product.id)
    )
    return [{**row, "units": int(row["units"])} for row in connection.execute(statement).mappings()]


STOCK = (
    func.count().label("products"),
    func.coalesce(func.sum(Product.quantity), 0).label("units"),
    exact_sum(Product.quantity, Product.cost_price).label("value_at_cost"),
    exact_sum(Product.quantity, Product.sell_price).label("value_at_price"),
)


def _count(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def find_stock(connection: Connection) -> dict[str, Any]:
    """Return the stock's totals, and how many products are low (out of stock included) and out."""
    statement = select(
        *STOCK,
        _count(Product.quantity <= Product.reorder_level).label("low_stock"),
        _count(Product.quantity <= 0).label("out_of_stock"),
    )
    row = connection.execute(statement).mappings().one()
    return {**row, "units": int(row["units"])}


def find_lowest_stocks(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Return the products with the least in stock; among equals, those meant to have most come first."""
    statement = (
        select(Product.id, Product.serial_number, Product.title, Product.quantity, Product.reorder_level)
        .order_by(Product.quantity, Product.reorder_level.desc(), Product.id)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def find_stock_by_category(connection: Connection) -> list[dict[str, Any]]:
    """Return the stock of each category that has products."""
    # Adding 0 keeps SQLite from walking the index and then looking up every product in its order.
    category_id = (Product.category_id + 0).label("category_id")
    stock = select(category_id, *STOCK).group_by(category_id).subquery()
    statement = select(Category.id, Category.name, *(stock.c[1:])).join(
        stock, stock.c.category_id == Category.id
    )
    return _group_rows(connection, statement)


def find_stock_by_brand(connection: Connection) -> list[dict[str, Any]]:
    """Return the stock of each brand that has products; those of no brand have None as id and name."""
    stock = (
        select(ProductModel.brand_id, *STOCK)
        .select_from(Product)
        .outerjoin(ProductModel, ProductModel.id == Product.product_model_id)
        .group_by(ProductModel.brand_id)
        .subquery()
    )
    statement = (
        select(Brand.id, Brand.name, *(stock.c[1:]))
        .select_from(stock)
        .outerjoin(Brand, Brand.id == stock.c.brand_id)
    )
    return _group_rows(connection, statement)


def _group_rows(connection: Connection, statement: Select[Any]) -> list[dict[str, Any]]:
    rows = [{**row, "units": int(row["units"])} for row in connection.execute(statement).mappings()]
    return sorted(rows, key=lambda row: (-row["products"], -row["units"], row["name"] is None, row["name"]))
