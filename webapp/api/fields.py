"""The kinds of values that JSON needs beside marshmallow's."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import fields


class Moment(fields.DateTime):
    """A moment as ISO 8601 in UTC, with Z."""

    def _serialize(self, value: datetime | None, *args: Any, **kwargs: Any) -> str | None:
        return None if value is None else format_moment(value)


def format_moment(value: datetime) -> str:
    """Return a moment as JSON has it."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
