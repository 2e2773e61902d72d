"""SQL for any resource, built from its declaration: columns, joins, search, order, pages."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, asc, desc, func, or_, select
from sqlalchemy.orm import aliased

from webapp.errors import Invalid
from webapp.extensions import db, settings
from webapp.resources.base import N_, Field, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import (
    Choice,
    DateTime,
    Integer,
    Money,
    Phrase,
    Problem,
    Reference,
    Style,
    fold_key,
    fold_search,
)
from webapp.services.metrics_days import split_into_days

LARGEST_ID = 2**63 - 1  # beyond it a database does not even look
BOUNDED = (DateTime, Integer, Money)
LOWER, UPPER = "_from", "_to"
COUNT_LIMIT = 10_000  # beyond it a count is said to be "more than"


class RecordQuery:
    """The joins of one resource, and the SQL expression of each field on them."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.model = resource.model
        self._joins: dict[tuple[str, ...], Any] = {}
        self._columns = {field.name: self._column(field) for field in resource.fields}

    def column(self, field: Field) -> ColumnElement[Any]:
        """Return the expression of a field's value: for a reference the other record's key."""
        return self._columns[field.name]

    def reference_key(self, field: Field) -> ColumnElement[Any]:
        """Return the casefolded key of the record that a reference points at."""
        target = self._join(field.path or (field.name,))
        name = get_resource(field.type.resource).reference_field  # type: ignore[attr-defined]  # a Reference
        found: ColumnElement[Any] = getattr(target, f"{name}_key")
        return found

    def select(self, fields: Sequence[Field]) -> Select[Any]:
        """Return ``SELECT id, …fields`` with the joins that this resource needs."""
        columns = [self.column(field).label(field.name) for field in fields]
        query = select(self.model.id.label("id"), *columns).select_from(self.model)
        for path, target in self._joins.items():
            parent = self._joins[path[:-1]] if path[:-1] else self.model
            query = query.outerjoin(target, getattr(parent, f"{path[-1]}_id") == target.id)
        return query

    def _column(self, field: Field) -> ColumnElement[Any]:
        if not isinstance(field.type, Reference):
            column: ColumnElement[Any] = getattr(self.model, field.name)
            return column
        target = self._join(field.path or (field.name,))
        found: ColumnElement[Any] = getattr(target, get_resource(field.type.resource).reference_field)
        return found

    def _join(self, path: tuple[str, ...]) -> Any:
        if path not in self._joins:
            model = self._join(path[:-1]) if path[:-1] else self.model
            self._joins[path] = aliased(getattr(model, path[-1]).property.mapper.class_)
        return self._joins[path]


def where_search(resource: Resource, text: str) -> list[ColumnElement[bool]]:
    """Every word must be in the record's search text; accents and case do not matter."""
    words = fold_search(text).split()
    return [resource.model.search_text.contains(word, autoescape=True) for word in words[:10]]


def where_filters(
    resource: Resource, query: RecordQuery, filters: dict[str, str]
) -> list[ColumnElement[bool]]:
    """Return the conditions of ``{"field": "value"}``; Invalid names what cannot be filtered by.

    ``q`` searches, ``low_stock`` (products) asks for what is at its reorder level or below it.
    ``<field>_from`` and ``<field>_to`` bound a number or a moment, both inclusive: a day without a time
    is the whole day in the house's time zone.
    """
    conditions: list[ColumnElement[bool]] = []
    problems: dict[str, Problem] = {}
    for name, text in filters.items():
        if not text:
            continue
        try:
            conditions += _where_filter(resource, query, name, text)
        except Problem as problem:
            problems[name] = problem
    if problems:
        raise Invalid(problems)
    return conditions


def _where_filter(resource: Resource, query: RecordQuery, name: str, text: str) -> list[ColumnElement[bool]]:
    if name == "q":
        return where_search(resource, text)
    if name == "low_stock" and resource.name == "products":
        return [resource.model.quantity <= resource.model.reorder_level]
    bounded = _find_bounded(resource, name)
    if bounded is not None:
        return [_where_bound(query.column(bounded), bounded, text, is_lower=name.endswith(LOWER))]
    try:
        field = resource.get_field(name)
    except KeyError:
        known = ", ".join(item.name for item in resource.fields)
        raise Problem(
            N_("There is no field “%(value)s”."), N_("Use one of: %(known)s."), value=name, known=known
        ) from None
    if isinstance(field.type, Reference):
        return [query.reference_key(field) == fold_key(text)]
    value = field.type.parse(text)
    if isinstance(field.type, Integer | Money | Choice):
        return [query.column(field) == value]
    key = getattr(resource.model, f"{name}_key", None)
    return [key == fold_key(text)] if key is not None else [query.column(field) == value]


def list_filter_names(resource: Resource) -> list[str]:
    """Return the names of all filters that a list of this resource understands, in the order of its fields."""
    names = ["q", "low_stock"] if resource.name == "products" else ["q"]
    for field in resource.fields:
        names.append(field.name)
        if isinstance(field.type, BOUNDED):
            names += [f"{field.name}{LOWER}", f"{field.name}{UPPER}"]
    return names


def label_filter(resource: Resource, name: str) -> Phrase:
    """Return a filter's name in words; a name that is no filter's stands for itself."""
    if name == "q":
        return Phrase(N_("Search"))
    if name == "low_stock":
        return Phrase(N_("Low stock only"))
    field = _find_bounded(resource, name)
    if field is None:
        return Phrase(next((item.label for item in resource.fields if item.name == name), name))
    wording = N_("%(field)s from") if name.endswith(LOWER) else N_("%(field)s up to")
    return Phrase(wording, {"field": field.label})


def _find_bounded(resource: Resource, name: str) -> Field | None:
    """Return the field whose values a filter of this name bounds."""
    base = name.removesuffix(LOWER) if name.endswith(LOWER) else name.removesuffix(UPPER)
    if base == name:
        return None
    return next(
        (item for item in resource.fields if item.name == base and isinstance(item.type, BOUNDED)), None
    )


def _where_bound(
    column: ColumnElement[Any], field: Field, text: str, *, is_lower: bool
) -> ColumnElement[bool]:
    value = field.type.parse(text, Style(timezone=settings().zone))
    if is_lower:
        return column >= value
    if isinstance(value, datetime) and ":" not in text:
        day = value.astimezone(settings().zone).date()
        return column < split_into_days(day, day, settings().zone)[-1].end
    return column <= value


def parse_sort(resource: Resource, sort: str) -> tuple[Field, bool]:
    """Return the field to sort by and whether downwards; the resource's own order for what is not sortable."""
    for wanted in (sort, resource.order_by[0]):
        name = wanted.removeprefix("-")
        field = next((field for field in resource.fields if field.name == name and field.sortable), None)
        if field is not None:
            return field, wanted.startswith("-")
    raise LookupError(resource.order_by[0])


@dataclass(frozen=True)
class RecordPage:
    """One page of a list: rows with ``id`` and a value a field, and the cursors of its neighbours."""

    rows: Sequence[Any]
    next_cursor: str | None
    previous_cursor: str | None
    count: int
    is_count_exact: bool


def list_records(
    resource: Resource,
    fields: Sequence[Field],
    *,
    filters: dict[str, str] | None = None,
    sort: str = "",
    cursor: str = "",
    limit: int = 50,
) -> RecordPage:
    """Return one page by keyset: a page deep in a million rows costs what the first one does.

    ``cursor`` is one that an earlier page gave; one that cannot be read means the first page.
    """
    query = RecordQuery(resource)
    conditions = where_filters(resource, query, filters or {})
    field, downwards = parse_sort(resource, sort)
    order = _orderable(query.column(field))
    backwards, position = _read_cursor(cursor, field)
    ascending = downwards == backwards
    statement = query.select(fields).add_columns(order.label("_order")).where(*conditions)
    if position is not None:
        statement = statement.where(_beyond(order, resource.model.id, position, ascending=ascending))
    direction = asc if ascending else desc
    statement = statement.order_by(direction(order), direction(resource.model.id)).limit(limit + 1)
    found = list(db.session.execute(statement).all())
    more = len(found) > limit
    rows = found[:limit][::-1] if backwards else found[:limit]
    count = _count(query, conditions)
    return RecordPage(
        rows=rows,
        next_cursor=_cursor("n", rows[-1]) if rows and (more or backwards) else None,
        previous_cursor=_cursor("p", rows[0])
        if rows and (more if backwards else position is not None)
        else None,
        count=min(count, COUNT_LIMIT),
        is_count_exact=count <= COUNT_LIMIT,
    )


def _orderable(column: Any) -> Any:
    # An empty reference sorts as an empty text: NULL has no place in a keyset, and two databases
    # put it at different ends.
    return func.coalesce(column, "") if column.type.python_type is str else column


def _beyond(order: Any, row_id: Any, position: tuple[Any, int], *, ascending: bool) -> ColumnElement[bool]:
    value, last_id = position
    if ascending:
        return or_(order > value, and_(order == value, row_id > last_id))
    return or_(order < value, and_(order == value, row_id < last_id))


def _count(query: RecordQuery, conditions: list[ColumnElement[bool]]) -> int:
    inner = query.select(()).where(*conditions).limit(COUNT_LIMIT + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(inner)) or 0


def _cursor(direction: str, row: Any) -> str:
    text = json.dumps([direction, row._mapping["_order"], row.id], default=_plain)  # noqa: SLF001 - public in fact
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _read_cursor(cursor: str, field: Field) -> tuple[bool, tuple[Any, int] | None]:
    try:
        direction, value, last_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return direction == "p", (_unplain(value, field), int(last_id))
    except (ValueError, TypeError, binascii.Error, ArithmeticError):
        return False, None


def _unplain(value: Any, field: Field) -> Any:
    if isinstance(field.type, Money):
        return Decimal(value)
    if field.type.input == "datetime-local":
        return datetime.fromisoformat(value)
    return int(value) if isinstance(field.type, Integer) else str(value)


def get_record(resource: Resource, record_id: int) -> Any | None:
    """Return one record's row with a value a field, its times and its version, or None."""
    if record_id > LARGEST_ID:
        return None
    model = resource.model
    statement = RecordQuery(resource).select(resource.fields)
    statement = statement.add_columns(model.created_at, model.updated_at, model.version)
    return db.session.execute(statement.where(model.id == record_id)).one_or_none()
