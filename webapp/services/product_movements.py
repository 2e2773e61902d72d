"""The movements of one product, both kinds in one list, with the stock that each has left behind.

The stock is counted backwards from what there is now: what a movement left is the quantity less all
that came after it. So the newest page is as quick as any, and no balance is stored that could be wrong.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, select, true

from webapp.extensions import db
from webapp.models import Inflow, Outflow, Supplier, User
from webapp.services.change_origin import Origin, find_origins
from webapp.services.stock import DIRECTIONS

# At the same moment, what comes in does so before what goes out.
MODELS: dict[str, Any] = {"inflows": Inflow, "outflows": Outflow}
RANKS = {name: rank for rank, name in enumerate(MODELS)}
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, order=True)
class Position:
    """The place of a movement in time; also the cursor of a page."""

    occurred_at: datetime
    rank: int
    id: int

    def __str__(self) -> str:
        return f"{self.occurred_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}~{self.rank}~{self.id}"


@dataclass(frozen=True)
class Movement:
    """So many pieces more (``delta`` > 0) or fewer, at ``unit_amount`` each, and what was there then.

    ``unit_amount`` is the cost of what came in and the price of what went out.
    """

    resource: str
    position: Position
    reference: str
    kind: str
    reason: str | None
    supplier: str | None
    delta: int
    unit_amount: Decimal
    balance: int = 0
    origin: Origin | None = None

    @property
    def id(self) -> int:
        """The id of the inflow or outflow."""
        return self.position.id

    @property
    def occurred_at(self) -> datetime:
        """When it happened."""
        return self.position.occurred_at


@dataclass(frozen=True)
class MovementPage:
    """Some movements, newest first, and the cursor of the older ones."""

    rows: Sequence[Movement]
    next_cursor: str | None


def list_movements(
    reader: User, product_id: int, quantity: int, cursor: str = "", limit: int = 20
) -> MovementPage:
    """Return a page of a product's movements, newest first, from before ``cursor``.

    ``quantity`` is the product's stock now. A cursor that cannot be read means the first page.
    """
    after = _read_cursor(cursor)
    found = [row for name in MODELS for row in _list(name, product_id, after, limit + 1)]
    found.sort(key=lambda row: row.position, reverse=True)
    rows = found[:limit]
    left = quantity - (_sum_newer(product_id, after) if after else 0)
    balanced = list(_add_balances(rows, left))
    origins = find_origins(
        reader, {name: [row.id for row in rows if row.resource == name] for name in MODELS}
    )
    rows = [replace(row, origin=origins.get((row.resource, row.id))) for row in balanced]
    return MovementPage(rows, str(rows[-1].position) if len(found) > limit else None)


def _add_balances(rows: Sequence[Movement], left: int) -> Iterator[Movement]:
    for row in rows:
        yield replace(row, balance=left)
        left -= row.delta


def _list(name: str, product_id: int, after: Position | None, limit: int) -> list[Movement]:
    model, is_inflow = MODELS[name], name == "inflows"
    query = select(
        model.id,
        model.occurred_at,
        model.reference,
        model.kind,
        model.reason,
        model.quantity,
        (model.unit_cost if is_inflow else model.unit_price).label("unit_amount"),
        *([Supplier.name.label("supplier")] if is_inflow else []),
    ).where(model.product_id == product_id, _is_older(name, after))
    if is_inflow:
        query = query.outerjoin(Supplier, Supplier.id == Inflow.supplier_id)
    query = query.order_by(model.occurred_at.desc(), model.id.desc()).limit(limit)
    return [
        Movement(
            resource=name,
            position=Position(row.occurred_at, RANKS[name], row.id),
            reference=row.reference,
            kind=row.kind,
            reason=row.reason,
            supplier=row.supplier if is_inflow else None,
            delta=DIRECTIONS[name] * row.quantity,
            unit_amount=row.unit_amount,
        )
        for row in db.session.execute(query)
    ]


def _is_older(name: str, than: Position | None) -> ColumnElement[bool]:
    """Whether a movement of a kind comes before a place in time; written so that an index leads to it."""
    if than is None:
        return true()
    model, rank = MODELS[name], RANKS[name]
    if rank < than.rank:
        return model.occurred_at <= than.occurred_at
    if rank > than.rank:
        return model.occurred_at < than.occurred_at
    return and_(
        model.occurred_at <= than.occurred_at,
        or_(model.occurred_at < than.occurred_at, model.id < than.id),
    )


def _sum_newer(product_id: int, position: Position) -> int:
    """Return by how many pieces the movements from a place in time on have changed the stock."""
    sums = [
        select(func.coalesce(func.sum(model.quantity), 0))
        .where(
            model.product_id == product_id,
            model.occurred_at >= position.occurred_at,
            not_(_is_older(name, position)),
        )
        .scalar_subquery()
        for name, model in MODELS.items()
    ]
    return int(db.session.scalar(select(sums[0] - sums[1])) or 0)


def _read_cursor(text: str) -> Position | None:
    try:
        moment, rank, number = text.split("~")
        position = Position(datetime.fromisoformat(moment).replace(tzinfo=UTC), int(rank), int(number))
    except ValueError:
        return None
    return position if position.rank in RANKS.values() and 0 < position.id <= LARGEST_ID else None
