"""The goods: products and what they are sorted by. Each key has a casefolded twin that is unique."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.base import KEEP_IDS, Money, Record, name255


class Category(Record):
    """What products are grouped by."""

    __tablename__ = "category"

    name: Mapped[name255]
    name_key: Mapped[name255] = mapped_column(unique=True)
    description: Mapped[str | None] = mapped_column(Text)


class Brand(Record):
    """Who makes products."""

    __tablename__ = "brand"

    name: Mapped[name255]
    name_key: Mapped[name255] = mapped_column(unique=True)
    description: Mapped[str | None] = mapped_column(Text)


class ProductModel(Record):
    """A model of a brand; two brands may use the same name."""

    __tablename__ = "product_model"
    __table_args__ = (UniqueConstraint("brand_id", "name_key"), KEEP_IDS)

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    name: Mapped[name255]
    name_key: Mapped[name255] = mapped_column(index=True)
    description: Mapped[str | None] = mapped_column(Text)

    brand: Mapped[Brand] = relationship(viewonly=True)


class Supplier(Record):
    """Who delivers products."""

    __tablename__ = "supplier"

    name: Mapped[name255]
    name_key: Mapped[name255] = mapped_column(unique=True)
    email: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)


class Product(Record):
    """One thing that is kept in stock. ``quantity`` is changed by ``services.stock`` alone.

    On PostgreSQL no index has it, so that changing it is cheap: see ``services.product_quantities``.
    """

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("cost_price >= 0 AND sell_price >= 0", name="prices"),
        Index(
            "ix_product_low_title_id",
            "title",
            "id",
            sqlite_where=text("is_low IS 1"),
            postgresql_where=text("is_low IS true"),
        ),
        Index("ix_product_category_id_title", "category_id", "title"),
        Index("ix_product_category_id_id", "category_id", "id"),
        Index("ix_product_product_model_id_id", "product_model_id", "id"),
        Index("ix_product_cost_price_id", "cost_price", "id"),
        Index("ix_product_sell_price_id", "sell_price", "id"),
        Index("ix_product_reorder_level_id", "reorder_level", "id"),
        Index("ix_product_quantity_id", "quantity", "id").ddl_if(dialect="sqlite"),
        KEEP_IDS,
    )

    serial_number: Mapped[name255]
    serial_number_key: Mapped[name255] = mapped_column(unique=True)
    title: Mapped[name255] = mapped_column(index=True)
    description: Mapped[str | None] = mapped_column(Text)
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"))
    product_model_id: Mapped[int | None] = mapped_column(ForeignKey("product_model.id"))
    cost_price: Mapped[Decimal] = mapped_column(Money)
    sell_price: Mapped[Decimal] = mapped_column(Money)
    quantity: Mapped[int] = mapped_column(default=0)
    reorder_level: Mapped[int] = mapped_column(default=0)
    is_low: Mapped[bool] = mapped_column(Computed("quantity <= reorder_level"))

    category: Mapped[Category] = relationship(viewonly=True)
    product_model: Mapped[ProductModel | None] = relationship(viewonly=True)
