"""Notes of when products were last moved (``models.product_move``), and what has not moved since a day.

A note may be older than the truth, which costs a second look, and never newer. So they are brought up to date when
there is time, and nobody who moves stock waits for them.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, insert, or_, select, union_all, update
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Inflow, Outflow, Product, ProductMove
from webapp.services.bulk import is_among

LOOKED_AT = 50_000  # products in a minute
BATCH = 2_000  # of them in a transaction
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


def where_still(moment: datetime, *, begins_at_notes: bool) -> list[ColumnElement[bool]]:
    """Return the conditions that a product did not move from a moment on.

    With ``begins_at_notes`` a query of products joins them: few are asked for all of their movements then.
    """
    moves = (Outflow, Inflow)  # in this order: most that move are sold
    conditions: list[ColumnElement[bool]] = [
        ~exists().where(model.product_id == Product.id, model.occurred_at >= moment) for model in moves
    ]
    if begins_at_notes:
        conditions.append(ProductMove.product_id == Product.id)
        conditions.append(or_(ProductMove.moved_at < moment, ProductMove.moved_at.is_(None)))
    return conditions


def note_moves_in_turn(now: datetime, check: Callable[[], None]) -> None:
    """Look at some of the products, other ones in each minute, so that all have their turn; ``check`` may raise."""
    last = db.session.scalar(select(func.max(Product.id))) or 0
    turns = last // LOOKED_AT + 1
    begin = int(now.timestamp() // 60) % turns * LOOKED_AT
    note_moves(begin, begin + LOOKED_AT, check)


def note_moves(begin: int = 0, end: int | None = None, check: Callable[[], None] = lambda: None) -> None:
    """Bring the notes of the products with ids from ``begin`` to before ``end`` up to date."""
    if end is None:
        end = (db.session.scalar(select(func.max(Product.id))) or 0) + 1
    for first in range(begin, end, BATCH):
        check()
        last = min(first + BATCH, end) - 1
        missing = db.session.scalars(list_unnoted().where(Product.id.between(first, last))).all()
        outdated = select(ProductMove.product_id).where(
            ProductMove.product_id.between(first, last),
            _last_move() > func.coalesce(ProductMove.moved_at, BEFORE_ALL),
        )
        found = db.session.scalars(outdated.order_by(ProductMove.product_id)).all()
        db.session.rollback()
        if missing or found:
            with write_transaction() as session:
                _begin(session, missing)
                _note(session, [*missing, *found])


def list_unnoted() -> Select[int]:
    """Return the query of products without a note, whose filter would miss them: none, but for other code's rows."""
    return select(Product.id).where(~exists().where(ProductMove.product_id == Product.id))


def _begin(session: Session, product_ids: Sequence[int]) -> None:
    """Begin the notes of products that older code has inserted, during a deployment for instance."""
    still_missing = session.scalars(list_unnoted().where(is_among(Product.id, product_ids))).all()
    if still_missing:
        session.execute(insert(ProductMove), [{"product_id": number} for number in still_missing])


def _note(session: Session, product_ids: Sequence[int]) -> None:
    """Lock the notes first, so that what empties one of them is either seen or comes after."""
    wanted = select(ProductMove.product_id).where(is_among(ProductMove.product_id, product_ids))
    locked = session.scalars(wanted.order_by(ProductMove.product_id).with_for_update(skip_locked=True)).all()
    session.execute(
        update(ProductMove)
        .where(is_among(ProductMove.product_id, locked))
        .values(moved_at=_last_move())
        .execution_options(synchronize_session=False)
    )


def _last_move() -> Any:
    """Return the moment of a product's newest movement, as a column of a query of notes."""
    newest = union_all(
        *(
            select(func.max(model.occurred_at).label("moved_at"))
            .where(model.product_id == ProductMove.product_id)
            .correlate(ProductMove)
            for model in (Inflow, Outflow)
        )
    ).subquery()
    return select(func.max(newest.c.moved_at)).scalar_subquery()
