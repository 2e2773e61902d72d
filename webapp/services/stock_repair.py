"""Quantities that are not the sum of their movements are set right, beside whoever moves stock meanwhile."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.models import Change, Product
from webapp.models.base import utc_now
from webapp.services.stock import StockLedger, sum_movements, verify_stock

SOURCE = "cli"
BATCH_PRODUCTS = 200


class Difference(NamedTuple):
    """A product whose quantity is not the sum of its movements."""

    product_id: int
    serial_number: str
    quantity: int
    total: int


def find_differences() -> list[Difference]:
    """Return the products whose quantity is not the sum of their movements, as one statement sees them."""
    return [Difference(*found) for found in verify_stock()]


def repair_stock(actor_id: int | None) -> Iterator[Difference]:
    """Set right what differs, some products in a transaction, and yield each that was.

    A product is locked before its movements are summed, as every writer locks it before it moves
    anything: the sum holds until the new quantity is committed.
    """
    ids = [found.product_id for found in find_differences()]
    for start in range(0, len(ids), BATCH_PRODUCTS):
        with write_transaction() as session:
            repaired = _repair(session, ids[start : start + BATCH_PRODUCTS], actor_id)
        yield from repaired


def _repair(session: Session, product_ids: Sequence[int], actor_id: int | None) -> list[Difference]:
    ledger = StockLedger()
    ledger.load(session, product_ids)
    query = select(Product.id, Product.serial_number, Product.quantity, sum_movements())
    query = query.where(Product.id.in_(product_ids)).order_by(Product.id)
    found = [Difference(*row) for row in session.execute(query)]
    wrong = [item for item in found if item.quantity != item.total]
    for item in wrong:
        ledger.correct(item.product_id, item.total)
    ledger.write(session)
    if wrong:
        session.execute(insert(Change), [_describe(item, actor_id) for item in wrong])
    return wrong


def _describe(item: Difference, actor_id: int | None) -> dict[str, object]:
    return {
        "at": utc_now(),
        "actor_id": actor_id,
        "source": SOURCE,
        "resource": "products",
        "record_id": item.product_id,
        "action": "updated",
        "before": {"quantity": item.quantity},
        "after": {"quantity": item.total},
    }
