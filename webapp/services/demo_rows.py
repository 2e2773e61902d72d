"""From the demo shop's columns of numbers to rows for the database."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from webapp.resources.derived import derived_columns
from webapp.resources.registry import get_resource
from webapp.services.demo_catalogue import FINDS, LOSSES, TRADERS, Trader

if TYPE_CHECKING:
    from webapp.services.demo_trade import Movements

Row = dict[str, Any]


def from_cents(cents: int) -> Decimal:
    """Return an amount of whole cents."""
    return Decimal(cents).scaleb(-2)


def supplier_row(trader: Trader) -> Row:
    """Return a supplier's fields."""
    return {
        "name": trader.name,
        "email": trader.mailbox,
        "phone": trader.phone,
        "description": trader.description,
    }


def iterate_movement_rows(
    moves: "Movements", product_ids: Sequence[int], suppliers: Mapping[tuple[Any, ...], int]
) -> Iterator[Row]:
    """Yield the rows of some movements, without ids; those without a document get their number with the id."""
    is_inflow = moves.direction > 0
    resource = get_resource("inflows" if is_inflow else "outflows")
    supplier_ids = [suppliers[trader.name,] for trader in TRADERS]
    form = "PO-{}-{:05d}" if is_inflow else "INV-{}-{:06d}"
    columns = (
        moves.product,
        moves.quantity,
        moves.second,
        moves.document,
        moves.cost,
        moves.price,
        moves.note,
    )
    for product, quantity, second, document, cost, price, note in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        moment = datetime.fromtimestamp(second, UTC)
        is_adjustment = moves.kind == "adjustment"
        row: Row = {
            "product_id": product_ids[product],
            "quantity": quantity,
            "unit_cost": from_cents(cost),
            "kind": moves.kind,
            "reason": (FINDS if is_inflow else LOSSES)[note] if is_adjustment else None,
            "occurred_at": moment,
        }
        if is_inflow:
            row["supplier_id"] = None if is_adjustment else supplier_ids[note]
        else:
            row["unit_price"] = from_cents(price)
        if document >= 0:
            row["reference"] = form.format(moment.year, document)
            row.update(derived_columns(resource, row))
        yield row
