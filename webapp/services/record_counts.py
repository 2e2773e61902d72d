"""How many records a list has: counted up to a limit, estimated beyond it from a sample."""

from collections.abc import Sequence
from typing import Any

import orjson
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
    some = select(model.id).where(*conditions).limit(COUNT_LIMIT + 1).subquery()
    found = read_list(db.session.scalar(select(as_list(some.c.id))))
    return found if len(found) <= COUNT_LIMIT else None


def as_list(column: ColumnElement[int]) -> ColumnElement[Any]:
    """Return all values of a column as one, for ``read_list``.

    Ten thousand rows would have Python's collector look through all that there is.
    """
    return func.array_agg(column) if db.engine.dialect.name == "postgresql" else func.json_group_array(column)


def read_list(found: Any) -> list[int]:
    """Return the values of ``as_list``."""
    values: list[int] = orjson.loads(found) if isinstance(found, str) else found or []
    return values


def estimate_records(model: Any, conditions: Sequence[ColumnElement[bool]]) -> int:
    """Return about how many records there are, to two digits: the share of them in blocks of ids all over the table.

    A few thousand rows are looked at through the primary key, however many there are.
    """
    sample, span = sample_ids(model, BLOCKS, BLOCK_ROWS)
    # Counted and not chosen by the conditions: no planner may prefer an index on them to these few ids.
    hits = func.count(case((and_(true(), *conditions), 1)))
    number = db.session.scalar(select(hits).select_from(model).where(is_among(model.id, sample))) or 0
    return max(_round(number * span // min(len(sample), span)), COUNT_LIMIT)


def sample_ids(model: Any, blocks: int, block_rows: int) -> tuple[list[int], int]:
    """Return ids all over the table, in so many blocks, and how many ids there may be from the first to the last."""
    query = select(select(func.min(model.id)).scalar_subquery(), func.max(model.id))
    first, last = db.session.execute(query).one()
    if first is None:
        return [], 0
    span = last - first + 1
    starts = range(first, last + 1, max(span // blocks, block_rows))[:blocks]
    return [start + place for start in starts for place in range(block_rows)], span


def _round(number: int) -> int:
    digits = max(len(str(number)) - 2, 0)
    return round(number, -digits)
