"""Values as the text that PostgreSQL reads in a COPY and in an array: a column at a time, equal values once.

The driver looks the type of every value up anew (measured: a quarter of an import's work in Python).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
ARRAY_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})
PLAIN: dict[type, Callable[[Any], str]] = {
    int: str,
    bool: str,
    Decimal: str,
    datetime: datetime.isoformat,
}
COPIED = PLAIN | {type(None): lambda _: "\\N", str: lambda text: text.translate(COPY_ESCAPES)}
LISTED = PLAIN | {type(None): lambda _: "NULL", str: lambda text: f'"{text.translate(ARRAY_ESCAPES)}"'}


def write_lines(columns: Sequence[Sequence[Any]]) -> str:
    """Return the lines of a COPY. KeyError for a type that is not written here."""
    return "\n".join(map("\t".join, zip(*map(_write_column, columns), strict=True))) + "\n"


def write_array(values: Sequence[Any]) -> str:
    """Return an array's text. KeyError for a type that is not written here."""
    if _is_plain(values, '\\"'):
        return '{"' + '","'.join(values) + '"}' if values else "{}"
    return "{" + ",".join(LISTED[type(value)](value) for value in values) + "}"


def _write_column(values: Sequence[Any]) -> Sequence[str]:
    if _is_plain(values, "\\\n\r\t"):
        return values
    known = {value: COPIED[type(value)](value) for value in set(values)}
    return [known[value] for value in values]


def _is_plain(values: Sequence[Any], special: str) -> bool:
    """Whether all values are texts without one of the special signs, as most are."""
    try:
        joined = "".join(values)
    except TypeError:
        return False
    return not any(sign in joined for sign in special)
