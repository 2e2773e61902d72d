"""Lists of any resource: searched, filtered, sorted and paged; and one record."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    UnaryExpression,
    and_,
    asc,
    desc,
    false,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.operators import custom_op

from webapp.extensions import db
from webapp.resources.base import Field, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import DateTime, Integer, Money, Reference
from webapp.services.record_counts import COUNT_LIMIT, count_records, estimate_records
from webapp.services.record_filters import label_filter, list_filter_names, where_filters
from webapp.services.record_query import RecordQuery
from webapp.services.record_search import BEST, rank, select_best, split_words, where_search

__all__ = [
    "COUNT_LIMIT",
    "RecordPage",
    "RecordQuery",
    "find_order",
    "get_record",
    "label_filter",
    "list_filter_names",
    "list_records",
    "parse_sort",
    "where_filters",
    "where_search",
]

LARGEST_ID = 2**63 - 1  # beyond it a database does not even look


def parse_sort(resource: Resource, sort: str) -> tuple[Field, bool]:
    """Return the field to sort by and whether downwards; the resource's own order for what is not sortable."""
    for wanted in (sort, resource.order_by[0]):
        name = wanted.removeprefix("-")
        field = next((field for field in resource.fields if field.name == name and field.sortable), None)
        if field is not None:
            return field, wanted.startswith("-")
    raise LookupError(resource.order_by[0])


def find_order(resource: Resource, sort: str, filters: Mapping[str, str]) -> tuple[Field | None, bool]:
    """Return the field to sort by, None for the best matches of a search first, and whether downwards."""
    is_search = bool(split_words(filters.get("q", "")))
    known = [field.name for field in resource.fields if field.sortable]
    if is_search and sort.removeprefix("-") not in known:
        return None, False
    return parse_sort(resource, sort)


@dataclass(frozen=True)
class RecordPage:
    """One page of a list: rows with ``id`` and a value a field, and the cursors of its neighbours.

    ``count`` is how many there are; where ``is_count_exact`` is false, so many at least, or about so many
    where an estimate was asked for. Of a search's matches only the ``best`` are in the list.
    """

    rows: Sequence[Any]
    next_cursor: str | None
    previous_cursor: str | None
    count: int
    is_count_exact: bool
    best: int | None = None


def list_records(
    resource: Resource,
    fields: Sequence[Field],
    *,
    filters: dict[str, str] | None = None,
    sort: str = "",
    cursor: str = "",
    limit: int = 50,
    estimate: bool = False,
) -> RecordPage:
    """Return one page by keyset: a page deep in a million rows costs what the first one does.

    ``cursor`` is one that an earlier page gave; one that cannot be read means the first page. ``estimate``
    asks for an estimate where there are too many to count.
    """
    chosen = filters or {}
    query = RecordQuery(resource)
    conditions = where_filters(resource, query, chosen)
    text = chosen.get("q", "") if split_words(chosen.get("q", "")) else ""
    field, downwards = find_order(resource, sort, chosen)
    backwards, position = _read_cursor(cursor, field)
    within = [resource.model.id.in_(select_best(resource, text, conditions))] if text else conditions
    ordered = _select_ids(
        resource, field, text, within, position, ascending=downwards == backwards, limit=limit + 1
    )
    page = ordered.subquery("page")
    direction = asc if downwards == backwards else desc
    statement = query.select(fields).add_columns(page.c.place).join(page, page.c.id == resource.model.id)
    found = list(db.session.execute(statement.order_by(direction(page.c.place), direction(page.c.id))).all())
    more = len(found) > limit
    rows = found[:limit][::-1] if backwards else found[:limit]
    count, is_exact = count_records(resource.model, conditions)
    if estimate and not is_exact and not text:
        count = estimate_records(resource.model, conditions)
    return RecordPage(
        rows=rows,
        next_cursor=_cursor("n", rows[-1]) if rows and (more or backwards) else None,
        previous_cursor=_cursor("p", rows[0])
        if rows and (more if backwards else position is not None)
        else None,
        count=count,
        is_count_exact=is_exact,
        best=BEST if text and count > BEST else None,
    )


Position = tuple[Any, int]


def _select_ids(
    resource: Resource,
    field: Field | None,
    text: str,
    conditions: list[ColumnElement[bool]],
    position: Position | None,
    *,
    ascending: bool,
    limit: int,
) -> Select[Any]:
    """Return the query of a page's ids with the value that each is ordered by, which an index walks down."""
    model, own = resource.model, RecordQuery(resource)
    direction = asc if ascending else desc

    def take(order: Any, *, target: Any = None) -> Select[Any]:
        found = select(model.id.label("id"), order.label("place")).where(*conditions)
        if target is not None and field is not None:
            found = found.join(target, getattr(model, field.column) == _unindexed(target.id))
        if position is not None:
            found = found.where(_beyond(order, model.id, position, ascending=ascending))
        return found.order_by(direction(order), direction(model.id)).limit(limit)

    if field is None:
        return take(rank(resource, text))
    if not isinstance(field.type, Reference):
        return take(own.order(field))
    other = get_resource(field.type.resource)
    target = aliased(other.model)
    with_one = take(getattr(target, f"{other.reference_field}_key"), target=target)
    column = getattr(model, field.column)
    if not column.property.columns[0].nullable:
        return with_one
    # What refers to nothing stands where an empty text would, whatever the database thinks of NULL.
    without = select(model.id.label("id"), literal("").label("place")).where(*conditions, column.is_(None))
    if position is not None and position[0] == "":
        beyond = model.id > position[1] if ascending else model.id < position[1]
        without = without.where(beyond)
    elif position is not None and ascending:
        without = without.where(false())
    without = without.order_by(direction(model.id)).limit(limit)
    both = union_all(select(without.subquery()), select(with_one.subquery())).subquery()
    chosen = select(both.c.id.label("id"), both.c.place.label("place"))
    return chosen.order_by(direction(both.c.place), direction(both.c.id)).limit(limit)


def _unindexed(column: Any) -> Any:
    """Hide a column from SQLite's planner: it shall begin at the other table, in that one's order.

    It has no figures about the tables, and would sort all of the larger one (measured: 73 ms for 0.2).
    """
    if db.engine.dialect.name != "sqlite":
        return column
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def _beyond(order: Any, row_id: Any, position: Position, *, ascending: bool) -> ColumnElement[bool]:
    """Return what comes after a position; the first condition says the same again in a way that finds the index."""
    value, last_id = position
    if ascending:
        return and_(order >= value, or_(order > value, row_id > last_id))
    return and_(order <= value, or_(order < value, row_id < last_id))


def _cursor(direction: str, row: Any) -> str:
    text = json.dumps([direction, row._mapping["place"], row.id], default=_plain)  # noqa: SLF001 - public in fact
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _read_cursor(cursor: str, field: Field | None) -> tuple[bool, Position | None]:
    try:
        direction, value, last_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return direction == "p", (_unplain(value, field), int(last_id))
    except (ValueError, TypeError, binascii.Error, ArithmeticError):
        return False, None


def _unplain(value: Any, field: Field | None) -> Any:
    if field is not None and isinstance(field.type, Money):
        return Decimal(value)
    if field is not None and isinstance(field.type, DateTime):
        return datetime.fromisoformat(value)
    return int(value) if field is None or isinstance(field.type, Integer) else str(value)


def get_record(resource: Resource, record_id: int) -> Any | None:
    """Return one record's row with a value a field, its times and its version, or None."""
    if record_id > LARGEST_ID:
        return None
    model = resource.model
    statement = RecordQuery(resource).select(resource.fields)
    statement = statement.add_columns(model.created_at, model.updated_at, model.version)
    return db.session.execute(statement.where(model.id == record_id)).one_or_none()
