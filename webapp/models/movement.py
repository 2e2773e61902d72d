"""Stock coming in and going out. A product's quantity is the sum of these rows."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.base import KEEP_IDS, Moment, Money, Record, name255, utc_now
from webapp.models.catalogue import Product, Supplier

INFLOW_KINDS = ("purchase", "opening", "adjustment")
OUTFLOW_KINDS = ("sale", "adjustment")


class Inflow(Record):
    """So many pieces of a product came in, at a cost each."""

    __tablename__ = "inflow"
    __table_args__ = (
        UniqueConstraint("reference_key", "product_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("kind IN ('purchase', 'opening', 'adjustment')", name="kind"),
        Index("ix_inflow_product_id_occurred_at", "product_id", "occurred_at"),
        Index("ix_inflow_supplier_id_occurred_at", "supplier_id", "occurred_at"),
        Index("ix_inflow_occurred_at_id", "occurred_at", "id"),
        Index("ix_inflow_supplier_id_id", "supplier_id", "id"),
        Index("ix_inflow_quantity_id", "quantity", "id"),
        Index("ix_inflow_unit_cost_id", "unit_cost", "id"),
        Index("ix_inflow_kind_occurred_at_id", "kind", "occurred_at", "id"),
        KEEP_IDS,
    )

    reference: Mapped[name255]
    reference_key: Mapped[name255]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("supplier.id"))
    quantity: Mapped[int]
    unit_cost: Mapped[Decimal] = mapped_column(Money)
    kind: Mapped[str] = mapped_column(String(20), default="purchase")
    reason: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)

    product: Mapped[Product] = relationship(viewonly=True)
    supplier: Mapped[Supplier | None] = relationship(viewonly=True)


class Outflow(Record):
    """So many pieces went out. Price and cost are those of the day, so that old profit stays put."""

    __tablename__ = "outflow"
    __table_args__ = (
        UniqueConstraint("reference_key", "product_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("kind IN ('sale', 'adjustment')", name="kind"),
        # With what a product's page adds up by day: of what sells best, twenty thousand rows in a quarter.
        Index(
            "ix_outflow_product_id_occurred_at_quantity_kind", "product_id", "occurred_at", "quantity", "kind"
        ),
        Index("ix_outflow_occurred_at_id", "occurred_at", "id"),
        Index("ix_outflow_quantity_id", "quantity", "id"),
        Index("ix_outflow_unit_price_id", "unit_price", "id"),
        Index("ix_outflow_unit_cost_id", "unit_cost", "id"),
        Index("ix_outflow_kind_occurred_at_id", "kind", "occurred_at", "id"),
        KEEP_IDS,
    )

    reference: Mapped[name255]
    reference_key: Mapped[name255]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(Money)
    unit_cost: Mapped[Decimal] = mapped_column(Money)
    kind: Mapped[str] = mapped_column(String(20), default="sale")
    reason: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)

    product: Mapped[Product] = relationship(viewonly=True)
