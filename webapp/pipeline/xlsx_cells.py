"""Values as the cells of an XLSX sheet, a column at a time.

Each cell is an XML fragment with ``ROW`` in place of its row number, or empty when the value is
missing. A cell is text where Excel's numbers, floats of 15 digits, would change the value: long
numbers, dates before March 1900, parts of a millisecond, the hour that a clock change repeats.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from webapp.pipeline.write_base import Column
from webapp.pipeline.write_text import format_moments, format_values, is_text, neutralise_values
from webapp.resources.types import PLAIN, DateTime, Integer, Money

ROW = "\x00"  # cannot be in the text of a cell, where it is escaped
EXACT_DIGITS = 15  # of a number in Excel
MAX_TEXT = 32_767  # UTF-16 units that Excel takes in a cell
NUMBER_FORMATS = {Integer: "#,##0", Money: "#,##0.00##", DateTime: "yyyy-mm-dd hh:mm:ss"}

_SEPARATOR = "\ue000"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f]|_(?=x[0-9A-Fa-f]{4}_)")
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel's dates have no zone
_FIRST = datetime(1900, 3, 1)  # noqa: DTZ001 - before it Excel counts a 29 February that never was
_DAY = timedelta(days=1)


class TooLong(ValueError):
    """A text does not fit in a cell; ``index`` is its place in the batch."""

    def __init__(self, index: int, length: int) -> None:
        super().__init__(index, length)
        self.index = index
        self.length = length


def format_cells(values: Sequence[Any], column: Column, letter: str, style: int, zone: tzinfo) -> list[str]:
    """Format one column of a batch. ``style`` is the index of its number format in the workbook."""
    text_head = f'<c r="{letter}{ROW}" t="inlineStr"><is><t>'
    number_head = f'<c r="{letter}{ROW}" s="{style}"><v>'
    if is_text(column.type):
        return _text_cells(neutralise_values(values), text_head)
    if isinstance(column.type, DateTime):
        numbers = [_serial(value, zone) for value in values]
        texts = format_moments(values, zone)
    else:
        texts = format_values(values, column.type, PLAIN)
        numbers = [text if _is_short(text) else "" for text in texts]
    return [
        f"{number_head}{number}</v></c>" if number else f"{text_head}{text}</t></is></c>" if text else ""
        for number, text in zip(numbers, texts, strict=True)
    ]


def _is_short(text: str) -> bool:
    return len(text) <= EXACT_DIGITS or sum(map(str.isdigit, text)) <= EXACT_DIGITS


def _serial(moment: datetime | None, zone: tzinfo) -> str:
    """Excel's number of a moment: days since 1899-12-30 on the zone's clock; empty if it has none."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    naive = local.replace(tzinfo=None)
    if local.fold or naive < _FIRST or moment.microsecond % 1000:
        return ""
    return repr((naive - _EPOCH) / _DAY)


def _text_cells(texts: list[str], head: str) -> list[str]:
    for index, text in enumerate(texts):
        if len(text) > MAX_TEXT // 2 and len(text.encode("utf-16-le", "surrogatepass")) // 2 > MAX_TEXT:
            raise TooLong(index, len(text))
    preserved = head.replace("<t>", '<t xml:space="preserve">')
    return [
        f"{head if text == text.strip() else preserved}{escaped}</t></is></c>" if text else ""
        for text, escaped in zip(texts, _escape_values(texts), strict=True)
    ]


def _escape_values(texts: list[str]) -> list[str]:
    """Escape a whole column as one string; cell by cell only if a cell holds the separator."""
    escaped = escape(_SEPARATOR.join(texts)).split(_SEPARATOR)
    return escaped if len(escaped) == len(texts) else [escape(text) for text in texts]


def escape(text: str) -> str:
    """Escape markup, and control characters in Excel's own way: ``_x000D_``."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _CONTROL.sub(lambda match: f"_x{ord(match[0]):04X}_", text)
