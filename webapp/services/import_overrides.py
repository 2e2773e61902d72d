"""What a person may decide about the reading of a file, in place of what was detected."""

from collections.abc import Mapping
from typing import Any

from webapp.errors import Invalid
from webapp.resources.base import N_
from webapp.resources.types import Problem

# What may change the rows that are read, and what only says how their texts are meant.
SHAPE = frozenset(("encoding", "delimiter", "quote", "header_line", "sheet"))
STYLE = frozenset(("decimal", "date_order", "date_orders"))
DATE_ORDERS = ("ymd", "dmy", "mdy")


def check_overrides(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return decisions as the reader takes them; Invalid names what cannot be one. None decides nothing."""
    problems = {
        name: Problem(N_("“%(value)s” is not a choice for %(option)s."), value=value, option=name)
        for name, value in overrides.items()
        if name not in SHAPE | STYLE or not (value is None or _is_choice(name, value))
    }
    if problems:
        raise Invalid(problems)
    return {name: value for name, value in overrides.items() if value is not None}


def _is_choice(name: str, value: Any) -> bool:
    if name == "header_line":
        return isinstance(value, int) and value > 0
    if name == "date_orders":
        return isinstance(value, dict) and all(one in DATE_ORDERS for one in value.values())
    if name == "date_order":
        return value in DATE_ORDERS
    if name == "decimal":
        return value in (".", ",")
    return isinstance(value, str) and (bool(value) or name == "quote")
