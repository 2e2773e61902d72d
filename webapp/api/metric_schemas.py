"""The dashboard's figures as JSON. Amounts are decimal texts, rounded to cents."""

from typing import Any

from marshmallow import fields

from webapp.api.blueprint import ApiSchema
from webapp.api.fields import Moment
from webapp.services.metrics import METRIC_KEYS


class LowStockSchema(ApiSchema):
    """A product of which little is left."""

    id = fields.Integer()
    serial_number = fields.String()
    title = fields.String()
    quantity = fields.Integer()
    reorder_level = fields.Integer()


class ProductMetricsSchema(ApiSchema):
    """What lies in stock."""

    products = fields.Integer()
    units = fields.Integer()
    value_at_cost = fields.String()
    value_at_price = fields.String()
    potential_profit = fields.String()
    low_stock = fields.Integer(metadata={"description": "Products at or below their reorder level."})
    out_of_stock = fields.Integer()
    lowest_stocks = fields.List(fields.Nested(LowStockSchema))


class SalesTotalSchema(ApiSchema):
    """What was sold."""

    sales = fields.Integer()
    units = fields.Integer()
    revenue = fields.String()
    cost = fields.String()
    profit = fields.String()
    margin = fields.String(allow_none=True, metadata={"description": "The profit in percent of the revenue."})


class SalesPeriodSchema(SalesTotalSchema):
    """What was sold from a local day to another, both included."""

    from_ = fields.String(data_key="from", attribute="from", metadata={"format": "date"})
    to = fields.String(metadata={"format": "date"})


class BestSellerSchema(ApiSchema):
    """A product that sold well in the last 30 days."""

    id = fields.Integer()
    serial_number = fields.String()
    title = fields.String()
    units = fields.Integer()
    sales = fields.Integer()
    revenue = fields.String()
    cost = fields.String()
    profit = fields.String()


class SalesMetricsSchema(ApiSchema):
    """What was sold ever and lately."""

    all_time = fields.Nested(SalesTotalSchema)
    last_30_days = fields.Nested(SalesPeriodSchema)
    previous_30_days = fields.Nested(SalesPeriodSchema)
    best_sellers = fields.List(fields.Nested(BestSellerSchema))


class MoneyDaySchema(ApiSchema):
    """The amounts of one local day."""

    date = fields.String(metadata={"format": "date"})
    revenue = fields.String()
    cost = fields.String()
    profit = fields.String()


class DailySalesSchema(ApiSchema):
    """The amounts of the last 30 local days, oldest first."""

    timezone = fields.String()
    days = fields.List(fields.Nested(MoneyDaySchema))


class QuantityDaySchema(ApiSchema):
    """The units and the number of sales of one local day."""

    date = fields.String(metadata={"format": "date"})
    units = fields.Integer()
    sales = fields.Integer()


class DailyQuantitySchema(ApiSchema):
    """The units of the last 30 local days, oldest first."""

    timezone = fields.String()
    days = fields.List(fields.Nested(QuantityDaySchema))


class StockGroupSchema(ApiSchema):
    """The stock of one category or brand."""

    id = fields.Integer(allow_none=True)
    name = fields.String(allow_none=True, metadata={"description": "Null: products of no brand."})
    products = fields.Integer()
    units = fields.Integer()
    value_at_cost = fields.String()
    value_at_price = fields.String()


class StockGroupsSchema(ApiSchema):
    """The stock of each, the one of most products first."""

    rows = fields.List(fields.Nested(StockGroupSchema))


PARTS: tuple[type[ApiSchema], ...] = (
    ProductMetricsSchema,
    SalesMetricsSchema,
    DailySalesSchema,
    DailyQuantitySchema,
    StockGroupsSchema,
    StockGroupsSchema,
)


class MetricAgeSchema(ApiSchema):
    """When the figures were computed."""

    computed_at = Moment(
        allow_none=True, metadata={"description": "Null until they were computed for the first time."}
    )
    is_stale = fields.Boolean(metadata={"description": "Two refreshes in a row did not come, or none yet."})


# The six keys hold a colon, which no attribute of a class can.
_KEYS: dict[str, Any] = {
    key: fields.Nested(part, required=True, allow_none=True)
    for key, part in zip(METRIC_KEYS, PARTS, strict=True)
}
MetricsSchema = MetricAgeSchema.from_dict(_KEYS, name="MetricsSchema")
