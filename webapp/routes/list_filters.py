"""What a list is narrowed by, as its page shows it: the controls by type, and what is active in words."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from webapp.resources.base import Field, Resource
from webapp.resources.types import Choice, DateTime, Integer, Money, Phrase, Problem, Reference, Style
from webapp.routes.record_controls import decimal_sign
from webapp.services import queries
from webapp.services.record_drafts import format_text

IN_TOOLBAR = ("q", "low_stock")
LONGEST_DAY = len("2026-01-31")  # a moment has more letters, and no control of days shows it


@dataclass(frozen=True)
class ActiveFilter:
    """One condition of a list in words, and the address of the list without it."""

    name: str
    label: Phrase
    value: str
    shown: str
    url_without: str
    has_control: bool


@dataclass(frozen=True)
class Control:
    """One filter of the panel. ``kind`` is ``reference``, ``day`` or ``number``; ``names`` are its one or two bounds."""

    kind: str
    label: Phrase
    names: tuple[str, ...]
    resource_name: str = ""


def read_filters(resource: Resource) -> dict[str, str]:
    """Return what the address asks a list to be narrowed to; other arguments are not filters."""
    known = queries.list_filter_names(resource)
    return {name: text.strip() for name, text in request.args.items() if name in known and text.strip()}


def find_plain_url(resource: Resource) -> str | None:
    """Return the address of the list with its numbers as every address has them, if they came as the reader types them.

    A form says with ``decimal`` which sign the reader's language has. What is no number stays as it was typed.
    """
    if "decimal" not in request.args:
        return None
    style = Style(decimal="," if request.args["decimal"] == "," else ".")
    plain = {}
    for name, text in request.args.items():
        if (field := _find_number(resource, name)) is not None and text.strip():
            with suppress(Problem):
                plain[name] = field.type.format(field.type.parse(text, style))
    return list_url(resource, without=("decimal",), **plain)


def show_values(resource: Resource, filters: Mapping[str, str]) -> dict[str, str]:
    """Return the filters of an address with their numbers as the reader writes them."""
    return {name: _show_value(resource, name, text) for name, text in filters.items()}


def _show_value(resource: Resource, name: str, text: str) -> str:
    field = _find_number(resource, name)
    with suppress(Problem):
        return text if field is None else format_text(field, field.type.parse(text), decimal_sign())
    return text


def _find_number(resource: Resource, name: str) -> Field | None:
    field = queries.find_bounded(resource, name)
    return field if field is not None and isinstance(field.type, Integer | Money) else None


def list_choices(resource: Resource) -> list[Field]:
    """Return the fields with a few fixed words, each a control of the toolbar."""
    return [field for field in resource.fields if isinstance(field.type, Choice)]


def list_controls(resource: Resource) -> list[Control]:
    """Return the controls of the panel, in the order of the fields."""
    found = [control for field in resource.fields if (control := _build_control(field)) is not None]
    if "no_movement_since" in queries.list_filter_names(resource):
        name = "no_movement_since"
        found.append(Control("day", queries.label_filter(resource, name), (name,)))
    return found


def _build_control(field: Field) -> Control | None:
    label, bounds = Phrase(field.label), (f"{field.name}_from", f"{field.name}_to")
    if isinstance(field.type, Reference):
        return Control("reference", label, (field.name,), field.type.resource)
    if isinstance(field.type, DateTime):
        return Control("day", label, bounds)
    return Control("number", label, bounds) if isinstance(field.type, Integer | Money) else None


def describe_filters(resource: Resource, filters: Mapping[str, str]) -> Iterator[ActiveFilter]:
    """Yield the conditions that the toolbar does not show all the time."""
    choices = {field.name for field in list_choices(resource)}
    controls = {name for control in list_controls(resource) for name in control.names}
    for name, value in filters.items():
        if name not in IN_TOOLBAR and name not in choices:
            url = list_url(resource, without=(name, "cursor"))
            shown = _show_value(resource, name, value)
            yield ActiveFilter(
                name, queries.label_filter(resource, name), value, shown, url, name in controls
            )


def list_url(resource: Resource, *, without: tuple[str, ...] = (), **changed: str) -> str:
    """Return the address of this list with some of its arguments changed."""
    rest: dict[str, Any] = {
        name: texts for name, texts in request.args.to_dict(flat=False).items() if name not in without
    }
    return url_for("records.list_records", resource=resource, **(rest | changed))
