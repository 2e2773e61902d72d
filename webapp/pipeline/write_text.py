"""What the text formats share: columns of values turned into text, and text into a file.

Values are formatted a column at a time, because a loop over values of one type is several times
faster than a method call for each cell. The result is that of ``FieldType.format``; a test compares.
"""

import gzip
import re
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from decimal import Decimal
from functools import cache
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from webapp.pipeline.formula import TRIGGERS, neutralise_formula
from webapp.pipeline.write_base import Note
from webapp.resources.base import N_
from webapp.resources.types import MONEY_PLACES, DateTime, FieldType, Integer, Money, Style

SURROGATES = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"
REMEMBERED = 20_000  # texts of a type, then it begins anew: two megabytes
GZIP_LEVEL = 5  # level 6 takes a third longer for a file 2 % smaller


class TextOutput:
    """Text into a binary file as UTF-8, optionally compressed. The file itself stays open.

    A lone surrogate has no UTF-8 form: it becomes U+FFFD, and ``replaced`` counts them.
    """

    def __init__(self, file: BinaryIO, *, compress: bool = False) -> None:
        self._file = file
        self._gzip = gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) if compress else None
        self._target = cast("BinaryIO", self._gzip or file)
        self.replaced = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._gzip is not None:
            self._gzip.close()

    def write(self, text: str) -> None:
        """Write one piece of text."""
        try:
            data = text.encode()
        except UnicodeEncodeError:
            data = self.clean(text).encode()
        self._target.write(data)

    def clean(self, text: str) -> str:
        """Replace lone surrogates, counting them."""
        text, count = SURROGATES.subn(REPLACEMENT, text)
        self.replaced += count
        return text

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was replaced, if anything."""
        return note_replaced(self.replaced)


def note_replaced(count: int) -> tuple[Note, ...]:
    """Return the note on characters that no encoding can hold; empty when there were none."""
    if not count:
        return ()
    return (Note(N_("Invalid characters, replaced by “\ufffd”: %(count)s."), {"count": count}),)


def format_values(values: Sequence[Any], kind: FieldType, style: Style) -> list[str]:
    """Format the values of one column for a file; None becomes the empty text."""
    if isinstance(kind, Money):
        return format_money(values, style)
    if isinstance(kind, DateTime):
        return format_moments(values, style.timezone)
    if isinstance(kind, Integer):
        return list(map(_INTEGERS.__getitem__, values))
    return [kind.format(value, style) for value in values]


class _Memory(dict[Any, str]):
    """The texts of values of one type, remembered: most prices and quantities come again and again."""

    def __init__(self, format_one: Callable[[Any], str]) -> None:
        super().__init__({None: ""})
        self._format_one = format_one

    def __missing__(self, value: Any) -> str:
        if len(self) > REMEMBERED:
            self.clear()
        text = self[value] = "" if value is None else self._format_one(value)
        return text


_INTEGERS = _Memory(str)


def format_money(values: Sequence[Any], style: Style) -> list[str]:
    """Format exact amounts: at least two decimals, at most four."""
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if kinds in ({int}, {str}):  # what databases give; equal numbers of other types may be other amounts
        return list(map(_remember_amounts(kinds.pop(), style.decimal).__getitem__, values))
    return ["" if value is None else _MONEY.format(read_amount(value), style) for value in values]


@cache
def _remember_amounts(_kind: type, decimal: str) -> _Memory:
    style = Style(decimal=decimal)
    return _Memory(lambda value: _MONEY.format(read_amount(value), style))


def read_amount(value: Any) -> Decimal:
    """Return the amount that a row holds as ten-thousandths, text or Decimal."""
    return Decimal(value).scaleb(-MONEY_PLACES) if type(value) is int else Decimal(value)


_MONEY = Money()


def format_moments(values: Sequence[Any], zone: tzinfo, separator: str = " ") -> list[str]:
    """Format moments as ISO 8601 in ``zone``, with the offset, ``Z`` for UTC."""
    texts = []
    for value in values:
        if value is None:
            texts.append("")
            continue
        text = (value if value.tzinfo is zone else value.astimezone(zone)).isoformat(separator)
        texts.append(text[:-6] + "Z" if text[-6:] == "+00:00" else text)
    return texts


def format_moments_utc(values: Sequence[Any]) -> list[str]:
    """Format moments as machines like them, such as ``2026-01-31T14:30:00Z``."""
    return format_moments(values, UTC, "T")


def neutralise_values(values: Sequence[Any]) -> list[str]:
    """Take the life out of text that a spreadsheet would run; None becomes the empty text."""
    texts = ["" if value is None else value for value in values] if None in values else list(values)
    # One search over the whole column is the usual case, and six times faster than asking each.
    if _TRIGGERS.search(_SEPARATOR + _SEPARATOR.join(texts)) is None:
        return texts
    return [neutralise_formula(text) for text in texts]


_SEPARATOR = "\x00"
_TRIGGERS = re.compile(f"{_SEPARATOR}[{re.escape(''.join(TRIGGERS))}]")


def is_text(kind: FieldType) -> bool:
    """Whether the values of this type are text, as opposed to numbers and moments."""
    return not isinstance(kind, Integer | Money | DateTime)
