"""Products that become low: told once, when the quantity falls from above the reorder level to it or below.

What a transaction does to the stock is gathered and weighed at its end, so that what goes down and up
again in it, or is rolled back on the way, is no news. A thousand products at once are one event.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import live
from webapp.database import before_commit
from webapp.models import Product
from webapp.services import notices

PRODUCTS: Any = Product.__table__


class Level(NamedTuple):
    """A product's quantity before the transaction and now, and at what quantity it is low."""

    before: int
    after: int
    reorder_level: int

    @property
    def has_become_low(self) -> bool:
        """Whether it has fallen to its reorder level, or through it."""
        return self.after <= self.reorder_level < self.before


def watch_levels(session: Session, levels: Mapping[int, Level], job_id: int | None) -> None:
    """Take what was written to the products' quantities, for the end of the caller's write transaction."""
    if "levels" not in session.info:
        session.info["levels"] = {}
        before_commit(session, lambda ending: _tell(ending, job_id))
    watched: dict[int, Level] = session.info["levels"]
    for product_id, level in levels.items():
        first = watched.get(product_id, level)
        watched[product_id] = level._replace(before=first.before)


def _tell(session: Session, job_id: int | None) -> None:
    watched: dict[int, Level] = session.info.pop("levels")
    fallen = [product_id for product_id, level in watched.items() if level.has_become_low]
    if not fallen:
        return
    # Asked once more: what a savepoint has taken back was written, too.
    names = ("id", "serial_number", "title", "quantity", "reorder_level")
    query = select(*(PRODUCTS.c[name] for name in names)).where(PRODUCTS.c.id.in_(fallen))
    query = query.where(PRODUCTS.c.quantity <= PRODUCTS.c.reorder_level).order_by(PRODUCTS.c.id)
    low = session.execute(query).mappings().all()
    if not low:
        return
    first = dict(low[0])
    notices.add_notice(session, notices.STOCK_LOW, role="editor", count=len(low), data=first, job_id=job_id)
    live.publish(session, live.EVERYONE, live.STOCK_LOW, {"count": len(low), "product_id": first["id"]})
