"""How many records a list has: counted up to a limit, estimated beyond it from a sample."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select, true

from webapp.extensions import db
from webapp.services.bulk import is_among

COUNT_LIMIT = 10_000  # beyond it a count is an estimate
BLOCKS, BLOCK_ROWS = 300, 10  # many small ones: what happened in a week stands together


def count_records(
    model: Any, conditions: Sequence[ColumnElement[bool]], limit: int | None = None
) -> tuple[int, bool]:
    """Return how many records there are, and whether that is exact; beyond the limit it is the limit."""
    limit = COUNT_LIMIT if limit is None else limit
    found = select(model.id).where(*conditions).limit(limit + 1).subquery()
    count = db.session.scalar(select(func.count()).select_from(found)) or 0
    return min(count, limit), count <= limit


def find_ids(model: Any, conditions: Sequence[ColumnElement[bool]]) -> Sequence[int] | None:
    """Return the ids of the records that fit, or None when there are more than is counted."""
    found = db.session.scalars(select(model.id).where(*conditions).limit(COUNT_LIMIT + 1)).all()
    return found if len(found) <= COUNT_LIMIT else None


def estimate_records(model: Any, conditions: Sequence[ColumnElement[bool]]) -> int:
    """Return about how many records there are, to two digits: the share of them in blocks of ids all over the table.

    A few thousand rows are looked at through the primary key, however many there are.
    """
    first, last = db.session.execute(
        select(select(func.min(model.id)).scalar_subquery(), func.max(model.id))
    ).one()
    span = last - first + 1
    step = max(span // BLOCKS, BLOCK_ROWS)
    sample = [start + place for start in range(first, last + 1, step)[:BLOCKS] for place in range(BLOCK_ROWS)]
    # Counted and not chosen by the conditions: no planner may prefer an index on them to these few ids.
    hits = func.count(case((and_(true(), *conditions), 1)))
    number = db.session.scalar(select(hits).select_from(model).where(is_among(model.id, sample))) or 0
    return max(_round(number * span // min(len(sample), span)), COUNT_LIMIT)


def _round(number: int) -> int:
    digits = max(len(str(number)) - 2, 0)
    return round(number, -digits)
