"""Where a page of a list begins: the value and the id of the row before it, in a text that an address can carry."""

import base64
import binascii
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from webapp.resources.base import Field
from webapp.resources.types import MONEY_LIMIT, DateTime, Integer, Money

LARGEST_WHOLE = 2**63 - 1  # that a database compares with

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
        return direction == "p", (_unplain(value, field), _read_whole(last_id))
    except (ValueError, TypeError, binascii.Error, ArithmeticError, RecursionError):
        return False, None


def _unplain(value: Any, field: Field | None) -> Any:
    """Return a value that the database can compare with; ValueError for what nobody was given."""
    if field is not None and isinstance(field.type, Money):
        amount = Decimal(value)
        if not amount.is_finite() or abs(amount) >= MONEY_LIMIT:
            raise ValueError(value)
        return amount
    if field is not None and isinstance(field.type, DateTime):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment.astimezone(UTC)
    if field is None or isinstance(field.type, Integer):
        return _read_whole(value)
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    value.encode()  # half of a character cannot be asked for
    return value


def _read_whole(value: Any) -> int:
    number = int(value)
    if abs(number) > LARGEST_WHOLE:
        raise ValueError(value)
    return number
