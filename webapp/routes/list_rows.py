"""The rows of a list as its table shows them.

What is the same in every row (labels, classes, how numbers look, where references lead) is found out once a page:
fifty rows of a dozen cells would make most of the time that a page takes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from urllib.parse import urlencode

from flask import current_app, url_for
from flask_babel import gettext as _

from webapp.resources.base import Field, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import Reference


@dataclass(frozen=True)
class Column:
    """One column of a list. ``kind`` says how its cells are shown: as a link, a word, a stock, or plainly."""

    field: Field
    label: str
    css: str
    kind: str
    format: Callable[[Any], str]


Cell = tuple[Column, str | None, str | None, str | None]


@dataclass(frozen=True)
class Row:
    """One record of a list: the address of its page, what its tick is called, and its cells.

    A cell is its column, its text (None for an empty one), the address where it leads, and what is called so there.
    """

    id: int
    tick_label: str
    cells: Sequence[Cell]
    values: Mapping[str, Any]


def list_columns(resource: Resource, fields: Sequence[Field]) -> list[Column]:
    """Return the columns for these fields of a resource. A page has many equal values: each is formatted once."""
    show = current_app.jinja_env.filters["field"]
    return [
        Column(
            field,
            _(field.label),
            _find_css(resource, field),
            _find_kind(resource, field, place),
            cache(partial(show, field=field)),
        )
        for place, field in enumerate(fields)
    ]


def _find_css(resource: Resource, field: Field) -> str:
    marks = {
        "is-number": field.type.align == "end",
        "is-long": getattr(field.type, "multiline", False),
        "is-main": field.name == resource.title_field,
        "is-word": field.type.align != "end",
    }
    return " ".join(name for name, is_so in marks.items() if is_so)


def _find_kind(resource: Resource, field: Field, place: int) -> str:
    if field.name == resource.title_field:
        return "row-link"
    if place == 0 and field.name in resource.key:
        return "row-key"
    if field.is_reference:
        return "cell-link"
    if field.name == "quantity" and resource.name == "products":
        return "stock"
    return "word" if field.type.input == "select" else "plain"


def list_rows(resource: Resource, columns: Sequence[Column], rows: Sequence[Any]) -> Iterator[Row]:
    """Yield the rows of a page of records."""
    tick = _("Tick %(name)s").replace("%(name)s", "{}")
    pages = url_for("records.show_record", resource=resource, record_id=0).removesuffix("0")
    leads = {column.field.name: _build_lead(column.field) for column in columns if column.kind == "cell-link"}
    for row in rows:
        values = row._mapping  # noqa: SLF001 - public in fact: a row's mapping by name
        cells: list[Cell] = []
        for column in columns:
            name = column.field.name
            value = values[name]
            if column.kind in ("row-link", "row-key"):
                cells.append((column, column.format(value), f"{pages}{row.id}", None))
            elif value is None or value == "":
                cells.append((column, None, None, None))
            elif name in leads:
                cells.append((column, value, leads[name](values), values.get(f"{name}_title")))
            else:
                cells.append((column, column.format(value), None, None))
        yield Row(row.id, tick.format(values[resource.title_field]), cells, values)


def reference_url(field: Field, values: Any) -> str:
    """Return the address that leads to the record which a row's reference points at."""
    return _build_lead(field)(values)


def _build_lead(field: Field) -> Callable[[Mapping[str, Any]], str]:
    """Return what gives the address of the record that a row's reference points at, by that record's key."""
    if not isinstance(field.type, Reference):
        raise TypeError(field.name)
    target, scope = get_resource(field.type.resource), field.type.scope
    start = url_for("records.find_record", resource=target)

    def lead(values: Mapping[str, Any]) -> str:
        filters = {target.reference_field: values[field.name]}
        if scope and values.get(scope):
            filters[scope] = values[scope]
        return f"{start}?{urlencode(filters)}"

    return lead
