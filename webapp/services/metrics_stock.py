"""The SQL behind the figures of the stock: one statement over all products, rolled up by category and by brand.

Amounts come back exact, as Decimals with four places; rounding is for whoever shows them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, case, func, select

from webapp.models import Brand, Category, Product, ProductModel
from webapp.services.exact_sum import choose_sum


@dataclass(frozen=True)
class Stock:
    """What lies in stock: kinds of products, units, amounts, and how many products are low (or out) of it."""

    products: int = 0
    units: int = 0
    value_at_cost: Decimal = Decimal(0)
    value_at_price: Decimal = Decimal(0)
    low_stock: int = 0
    out_of_stock: int = 0

    def __add__(self, other: "Stock") -> "Stock":
        return Stock(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class StockGroup:
    """The stock of the products of one category and one brand (None: of no brand)."""

    category_id: int
    brand_id: int | None
    stock: Stock


def find_stock_groups(connection: Connection) -> list[StockGroup]:
    """Return the stock of each category and brand that have products in common."""
    sum_of = choose_sum(connection, Product.id, Product.quantity, Product.cost_price, Product.sell_price)
    # Adding 0 keeps SQLite from walking the index and then looking up every product in its order.
    category_id = (Product.category_id + 0).label("category_id")
    statement = (
        select(
            category_id,
            ProductModel.brand_id,
            func.count(),
            func.sum(Product.quantity),
            sum_of(Product.quantity, Product.cost_price),
            sum_of(Product.quantity, Product.sell_price),
            _count(Product.quantity <= Product.reorder_level),
            _count(Product.quantity <= 0),
        )
        .select_from(Product)
        .outerjoin(ProductModel, ProductModel.id == Product.product_model_id)
        .group_by(category_id, ProductModel.brand_id)
    )
    return [
        StockGroup(category, brand, Stock(products, int(units), *rest))
        for category, brand, products, units, *rest in connection.execute(statement)
    ]


def _count(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))


def total_stock(groups: Iterable[StockGroup]) -> dict[str, Any]:
    """Return the whole stock: every field of ``Stock``."""
    return asdict(sum((group.stock for group in groups), Stock()))


def find_lowest_stocks(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Return the products with the least in stock; among equals, those meant to have most come first."""
    statement = (
        select(Product.id, Product.serial_number, Product.title, Product.quantity, Product.reorder_level)
        .order_by(Product.quantity, Product.reorder_level.desc(), Product.id)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def find_stock_by_category(connection: Connection, groups: Sequence[StockGroup]) -> list[dict[str, Any]]:
    """Return the stock of each category that has products, the one of most products first."""
    return _roll_up(connection, Category, ((group.category_id, group.stock) for group in groups))


def find_stock_by_brand(connection: Connection, groups: Sequence[StockGroup]) -> list[dict[str, Any]]:
    """Return the same of each brand; products of no brand have None as its id and name."""
    return _roll_up(connection, Brand, ((group.brand_id, group.stock) for group in groups))


def _roll_up(
    connection: Connection, model: type[Category | Brand], stocks: Iterable[tuple[int | None, Stock]]
) -> list[dict[str, Any]]:
    sums: dict[int | None, Stock] = {}
    for key, stock in stocks:
        sums[key] = sums.get(key, Stock()) + stock
    names: dict[int | None, str] = {
        row.id: row.name for row in connection.execute(select(model.id, model.name))
    }
    rows = [
        {
            "id": key,
            "name": None if key is None else names[key],
            "products": stock.products,
            "units": stock.units,
            "value_at_cost": stock.value_at_cost,
            "value_at_price": stock.value_at_price,
        }
        for key, stock in sums.items()
    ]
    return sorted(rows, key=lambda row: (-row["products"], -row["units"], row["name"] is None, row["name"]))
