"""Where a page of a list begins: the value and the id of the row before it, in a text that an address can carry."""

import base64
import binascii
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from webapp.resources.base import Field
from webapp.resources.types import DateTime, Integer, Money

Position = tuple[Any, int]


def write_cursor(direction: str, place: Any, last_id: int) -> str:
    """Return the cursor of the page after ("n") or before ("p") the row of this id, ordered by this value."""
    text = json.dumps([direction, place, last_id], default=_plain)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def read_cursor(cursor: str, field: Field | None) -> tuple[bool, Position | None]:
    """Return whether to go backwards and from where; what cannot be read means the first page.

    ``field`` is the one that the list is ordered by, None for the best matches first.
    """
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
