"""What a list can be narrowed by, derived from the declaration: names, words for people, conditions in SQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement

from webapp.errors import Invalid
from webapp.extensions import settings
from webapp.resources.base import N_, Field, Resource
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
)
from webapp.services.metrics_days import split_into_days
from webapp.services.product_moves import where_still
from webapp.services.record_query import RecordQuery
from webapp.services.record_search import where_search

BOUNDED = (DateTime, Integer, Money)
LOWER, UPPER = "_from", "_to"
MOST_IDS, ID_DIGITS = 1_000, 19


def where_filters(
    resource: Resource, query: RecordQuery, filters: dict[str, str]
) -> list[ColumnElement[bool]]:
    """Return the conditions of ``{"field": "value"}``; Invalid names what cannot be filtered by.

    ``q`` searches, ``ids`` are ticked records. Of products, ``low_stock`` are those at their reorder level or
    below it, and ``no_movement_since`` those that neither came in nor went out on that day or later.
    ``<field>_from`` and ``<field>_to`` bound a number or a moment, both inclusive: a day without a time
    is the whole day in the house's time zone.
    """
    conditions: list[ColumnElement[bool]] = []
    beside: list[ColumnElement[bool]] = []
    problems: dict[str, Problem] = {}
    for name, text in filters.items():
        if not text:
            continue
        try:
            found = _where_filter(resource, query, name, text)
            (beside if query.goes_beside(_without_bound(name)) else conditions).extend(found)
        except Problem as problem:
            problems[name] = problem
    if problems:
        raise Invalid(problems)
    return conditions + query.narrow(beside)


def _where_filter(resource: Resource, query: RecordQuery, name: str, text: str) -> list[ColumnElement[bool]]:
    if name in _list_named(resource):
        return _where_named(resource, query, name, text)
    bounded = find_bounded(resource, name)
    if bounded is not None:
        column = query.condition_column(bounded.name)
        return [_where_bound(column, bounded, text, is_lower=name.endswith(LOWER))]
    try:
        field = resource.get_field(name)
    except KeyError:
        known = ", ".join(item.name for item in resource.fields)
        raise Problem(
            N_("There is no field “%(value)s”."), N_("Use one of: %(known)s."), value=name, known=known
        ) from None
    if isinstance(field.type, Reference):
        return [query.refers_to(field, text)]
    value = field.type.parse(text)
    key = getattr(resource.model, f"{name}_key", None)
    if key is not None and not isinstance(field.type, Integer | Money | Choice):
        return [key == fold_key(text)]
    return [query.condition_column(name) == value]


def _list_named(resource: Resource) -> list[str]:
    """Return the filters that are no field's."""
    return ["q", "ids", *(("low_stock", "no_movement_since") if resource.name == "products" else ())]


def _where_named(resource: Resource, query: RecordQuery, name: str, text: str) -> list[ColumnElement[bool]]:
    if name == "q":
        return where_search(resource, text)
    if name == "ids":
        return [resource.model.id.in_(_read_ids(text))]
    if name == "low_stock":
        return [resource.model.is_low.is_(True)]
    moment = DateTime().parse(text, Style(timezone=settings().zone))
    return where_still(moment, begins_at_notes=query.may_join)


def _read_ids(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > MOST_IDS or not all(part.isdecimal() and len(part) < ID_DIGITS for part in parts):
        raise Problem(N_("That is no selection of records."), N_("Tick them in the list again."))
    return [int(part) for part in parts]


def list_filter_names(resource: Resource) -> list[str]:
    """Return the names of all filters that a list of this resource understands, in the order of its fields."""
    names = _list_named(resource)
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
    if name == "ids":
        return Phrase(N_("Selected records"))
    if name == "no_movement_since":
        return Phrase(N_("No movement since"))
    field = find_bounded(resource, name)
    if field is None:
        return Phrase(next((item.label for item in resource.fields if item.name == name), name))
    wording = N_("%(field)s from") if name.endswith(LOWER) else N_("%(field)s up to")
    return Phrase(wording, {"field": field.label})


def find_bounded(resource: Resource, name: str) -> Field | None:
    """Return the field whose values a filter of this name bounds, or None."""
    base = _without_bound(name)
    if base == name:
        return None
    return next(
        (item for item in resource.fields if item.name == base and isinstance(item.type, BOUNDED)), None
    )


def _without_bound(name: str) -> str:
    return name.removesuffix(LOWER) if name.endswith(LOWER) else name.removesuffix(UPPER)


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
