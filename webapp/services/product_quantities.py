"""Where products stand in the order of their quantities: on PostgreSQL in a narrow table beside them.

There a changed quantity would be entered again into each of the product's indexes, were one of them on it. So none
is, and triggers keep ``product_quantity`` (migration 0014). SQLite touches only the index that has the column.
"""

from typing import Any

from sqlalchemy import BigInteger, Integer, column, table

from webapp.extensions import db
from webapp.models import Product

QUANTITIES = table("product_quantity", column("product_id", BigInteger), column("quantity", Integer))


def is_beside(model: Any, name: str) -> bool:
    """Whether the index of a model's column is that of the table beside it."""
    return model is Product and name == "quantity" and db.engine.dialect.name == "postgresql"
