"""The movements that were recorded last, for a glance: two short walks down an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Inflow, Outflow, Product
from webapp.services.stock import DIRECTIONS


@dataclass(frozen=True)
class Movement:
    """So many pieces of a product, more (``delta`` > 0) or fewer; ``resource`` says which list has it."""

    resource: str
    id: int
    product_id: int
    title: str
    kind: str
    delta: int
    occurred_at: datetime
    created_at: datetime


def list_latest_movements(limit: int) -> Sequence[Movement]:
    """Return what was recorded last, newest first, whenever it is said to have happened."""
    found = [*_list_latest("inflows", Inflow, limit), *_list_latest("outflows", Outflow, limit)]
    return sorted(found, key=lambda item: (item.created_at, item.id), reverse=True)[:limit]


def _list_latest(resource: str, model: Any, limit: int) -> list[Movement]:
    query = (
        select(
            model.id,
            Product.id,
            Product.title,
            model.kind,
            model.quantity,
            model.occurred_at,
            model.created_at,
        )
        .join(Product, Product.id == model.product_id)
        .order_by(model.id.desc())
        .limit(limit)
    )
    return [
        Movement(resource, row[0], row[1], row[2], row[3], DIRECTIONS[resource] * row[4], row[5], row[6])
        for row in db.session.execute(query)
    ]
