"""What the forms of an import say: how the file is to be read, what is matched, what to do with the rows."""

from typing import Any

from flask import request

from webapp.models import DataImport
from webapp.resources.base import N_, Field
from webapp.resources.registry import get_resource
from webapp.resources.types import Problem
from webapp.services.import_mapping import mappable_fields

CHOICES = ("encoding", "delimiter", "sheet", "decimal")
OPTIONS = ("on_error", "mode", "empty", "repeated")
LARGEST_LINE = 2**31 - 1


def read_overrides(found: DataImport) -> dict[str, Any]:
    """Return all that is decided about the reading: what the form shows replaces what was decided before."""
    decided = dict(found.overrides or {})
    for name in CHOICES:
        if (choice := request.form.get(f"reading-{name}")) is not None:
            decided[name] = choice
    if (line := request.form.get("reading-header_line")) is not None:
        decided["header_line"] = _parse_line(line.strip()) if line.strip() else None
    orders = dict(decided.get("date_orders") or {})
    for name, order in request.form.items():
        if name.startswith("date-order-"):
            orders[name.removeprefix("date-order-")] = order
    decided["date_orders"] = {column: order for column, order in orders.items() if order}
    return {name: choice for name, choice in decided.items() if choice}


def _parse_line(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= LARGEST_LINE:
        raise Problem(
            N_("“%(value)s” is not the number of a line."),
            N_("Write the line with the names of the columns, such as 3."),
            value=text,
        )
    return int(text)


def read_mapping(found: DataImport) -> dict[str, Any]:
    """Return where each field's values come from, as the form says."""
    return {
        field.name: {
            "column": request.form.get(f"column-{field.name}") or None,
            "default": request.form.get(f"default-{field.name}", "").strip(),
            "values": _read_values(field),
        }
        for field in mappable_fields(get_resource(found.resource))
    }


def _read_values(field: Field) -> dict[str, str]:
    """Return which words of the file stand for which records."""
    chosen = {}
    place = 0
    while (text := request.form.get(f"text-{field.name}-{place}")) is not None:
        if name := request.form.get(f"record-{field.name}-{place}", "").strip():
            chosen[text] = name
        place += 1
    return chosen


def read_options(found: DataImport) -> dict[str, Any]:
    """Return what is to be done with the rows, in the words of the services."""
    options: dict[str, Any] = {name: request.form[name] for name in OPTIONS if name in request.form}
    fields = mappable_fields(get_resource(found.resource))
    options["create_missing"] = [field.name for field in fields if f"create-{field.name}" in request.form]
    return options
