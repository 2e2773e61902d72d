"""What hangs on a category, brand, model or supplier, in a few sums that cost the same however much it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select

from webapp.extensions import db, settings
from webapp.models import Inflow, Product, ProductModel
from webapp.models.base import utc_now
from webapp.services import metrics
from webapp.services.exact_sum import exact_sum
from webapp.services.metrics_days import last_days, split_into_days

SUMMED_ROWS = 10_000  # more of them are not summed up while somebody waits
LOOKED_AT = 500  # of a supplier's deliveries, for the products among them
DELIVERY_DAYS = 90


@dataclass(frozen=True)
class ProductTotals:
    """How many products there are, with how many pieces in stock, worth how much.

    ``computed_at`` is when the dashboard's figures were computed from which these were taken; None when
    they are of this moment. ``is_capped``: there are more products than were counted, and the rest is not known.
    """

    products: int
    units: int | None = None
    value_at_cost: Decimal | None = None
    value_at_price: Decimal | None = None
    computed_at: datetime | None = None
    is_capped: bool = False


@dataclass(frozen=True)
class DeliveryTotals:
    """What a supplier has delivered in the last days; more than are summed up are only counted."""

    days: int
    deliveries: int
    units: int | None
    cost: Decimal | None
    is_capped: bool


@dataclass(frozen=True)
class DeliveredProduct:
    """A product that a supplier delivers: when last and at which cost, and what is in stock."""

    id: int
    serial_number: str
    title: str
    quantity: int
    reorder_level: int
    unit_cost: Decimal
    occurred_at: datetime


def find_product_totals(resource_name: str, record_id: int) -> ProductTotals:
    """Return the totals of the products of a category, brand or model.

    They are summed up when they are few; else they are those of the dashboard, where it has them.
    """
    counted = _sum_products(_is_under(resource_name, record_id))
    if not counted.is_capped:
        return counted
    return _find_cached(resource_name, record_id) or counted


def _is_under(resource_name: str, record_id: int) -> ColumnElement[bool]:
    if resource_name == "categories":
        return Product.category_id == record_id
    if resource_name == "product_models":
        return Product.product_model_id == record_id
    models = select(ProductModel.id).where(ProductModel.brand_id == record_id)
    return Product.product_model_id.in_(models)


def _sum_products(condition: ColumnElement[bool]) -> ProductTotals:
    """Count the products in an index alone, and read them when they are few."""
    counted = select(Product.id).where(condition).limit(SUMMED_ROWS + 1).subquery()
    number = db.session.scalar(select(func.count()).select_from(counted)) or 0
    if number > SUMMED_ROWS:
        return ProductTotals(SUMMED_ROWS, is_capped=True)
    found = select(Product.quantity, Product.cost_price, Product.sell_price).where(condition).subquery()
    query = select(
        func.coalesce(func.sum(found.c.quantity), 0),
        exact_sum(found.c.quantity, found.c.cost_price),
        exact_sum(found.c.quantity, found.c.sell_price),
    ).select_from(found)
    units, at_cost, at_price = db.session.execute(query).one()
    return ProductTotals(number, int(units), at_cost, at_price)


def _find_cached(resource_name: str, record_id: int) -> ProductTotals | None:
    sources = {"categories": metrics.get_products_by_category, "brands": metrics.get_products_by_brand}
    if resource_name not in sources:
        return None
    cached = sources[resource_name]()
    row = next((row for row in cached["value"]["rows"] if row["id"] == record_id), None)
    if row is None:
        return None
    return ProductTotals(
        row["products"],
        row["units"],
        Decimal(row["value_at_cost"]),
        Decimal(row["value_at_price"]),
        computed_at=cached["computed_at"],
    )


def find_delivery_totals(supplier_id: int, now: datetime | None = None) -> DeliveryTotals:
    """Return what a supplier has delivered in the last 90 local days."""
    zone = settings().zone
    days = last_days(now or utc_now(), zone, DELIVERY_DAYS)
    spans = split_into_days(days[0], days[-1], zone)
    few = (
        select(Inflow.quantity, Inflow.unit_cost)
        .where(
            Inflow.supplier_id == supplier_id,
            Inflow.occurred_at >= spans[0].start,
            Inflow.occurred_at < spans[-1].end,
        )
        .limit(SUMMED_ROWS + 1)
        .subquery()
    )
    query = select(
        func.count(), func.coalesce(func.sum(few.c.quantity), 0), exact_sum(few.c.quantity, few.c.unit_cost)
    ).select_from(few)
    count, units, cost = db.session.execute(query).one()
    if count > SUMMED_ROWS:
        return DeliveryTotals(DELIVERY_DAYS, SUMMED_ROWS, None, None, is_capped=True)
    return DeliveryTotals(DELIVERY_DAYS, count, int(units), cost, is_capped=False)


def list_delivered_products(supplier_id: int, limit: int = 10) -> Sequence[DeliveredProduct]:
    """Return the products of a supplier's newest deliveries, the last delivered first, each with its last cost."""
    newest = (
        select(Inflow.id, Inflow.product_id, Inflow.occurred_at, Inflow.unit_cost)
        .where(Inflow.supplier_id == supplier_id)
        .order_by(Inflow.occurred_at.desc(), Inflow.id.desc())
        .limit(LOOKED_AT)
        .subquery("newest")
    )
    ranked = _rank(newest)
    query = (
        select(
            Product.id,
            Product.serial_number,
            Product.title,
            Product.quantity,
            Product.reorder_level,
            ranked.c.unit_cost,
            ranked.c.occurred_at,
        )
        .join(ranked, ranked.c.product_id == Product.id)
        .where(ranked.c.place == 1)
        .order_by(ranked.c.occurred_at.desc(), ranked.c.id.desc())
        .limit(limit)
    )
    return [DeliveredProduct(*row) for row in db.session.execute(query)]


def _rank(newest: Any) -> Any:
    """Number the deliveries of each product, the newest one first."""
    order = (newest.c.occurred_at.desc(), newest.c.id.desc())
    place = func.row_number().over(partition_by=newest.c.product_id, order_by=order)
    return select(newest, place.label("place")).subquery("ranked")
