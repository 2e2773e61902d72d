"""When products were last moved, beside them: what stands still is found without a look at every movement."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.base import Id, Moment


class ProductMove(Base):
    """A note of when a product was last moved: never later than it was, and nothing when that is not known.

    Triggers begin a product's note and empty it; ``services.product_moves`` fills it in. On PostgreSQL a trigger of
    products ends it, too, in place of a foreign key that would look each new product up.
    """

    __tablename__ = "product_move"

    product_id: Mapped[int] = mapped_column(
        Id, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    moved_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
