"""The records that point at a record, the newest few of each kind with how many there are.

Found by the ids that are stored, through their indexes: a page must not wait for a list of a million.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select

from webapp.extensions import db
from webapp.resources.base import Field, Resource
from webapp.resources.registry import RESOURCES
from webapp.resources.types import Reference
from webapp.services.record_query import RecordQuery
from webapp.services.stock import DIRECTIONS

COUNT_LIMIT = 10_000  # beyond it a count is said to be "more than"
SHOWN = (
    "serial_number",
    "product",
    "kind",
    "occurred_at",
    "quantity",
)  # beside the title, where a record has them


@dataclass(frozen=True)
class Related:
    """The newest records of one kind that point here, by which field, and how many there are."""

    resource: Resource
    field: Field
    rows: Sequence[Any]
    count: int
    is_count_exact: bool


def list_related(resource: Resource, record_id: int, limit: int) -> Iterator[Related]:
    """Yield what points at a record, kind by kind."""
    for other, field in find_referring(resource):
        condition = where_refers(other, field, record_id)
        counted = select(other.model.id).where(condition).limit(COUNT_LIMIT + 1).subquery()
        count = db.session.scalar(select(func.count()).select_from(counted)) or 0
        rows = _list_newest(other, condition, limit) if count else []
        yield Related(other, field, rows, min(count, COUNT_LIMIT), count <= COUNT_LIMIT)


def find_referring(resource: Resource) -> Iterator[tuple[Resource, Field]]:
    """Yield each field of each kind of record that holds a reference to this kind."""
    for other in RESOURCES.values():
        for field in other.fields:
            if isinstance(field.type, Reference) and field.type.resource == resource.name:
                yield other, field


def where_refers(other: Resource, field: Field, record_id: int) -> ColumnElement[bool]:
    """Return the condition on another kind's records that they point at a record, if need be through others."""
    return _where_path(other.model, field.path or (field.name,), record_id)


def _where_path(model: Any, path: Sequence[str], record_id: int) -> ColumnElement[bool]:
    column: ColumnElement[Any] = getattr(model, f"{path[0]}_id")
    if len(path) == 1:
        return column == record_id
    target = getattr(model, path[0]).property.mapper.class_
    return column.in_(select(target.id).where(_where_path(target, path[1:], record_id)))


def _list_newest(other: Resource, condition: ColumnElement[bool], limit: int) -> Sequence[Any]:
    """Find the ids in an index alone, then read those few records."""
    model = other.model
    order = [model.id.desc()]
    if other.name in DIRECTIONS:
        order.insert(0, model.occurred_at.desc())
    newest = select(model.id).where(condition).order_by(*order).limit(limit).subquery()
    shown = [field for field in other.fields if field.name in (other.title_field, *SHOWN)]
    query = RecordQuery(other).select(shown, with_titles=True)
    query = query.where(model.id.in_(select(newest.c.id))).order_by(*order)
    return db.session.execute(query).all()
