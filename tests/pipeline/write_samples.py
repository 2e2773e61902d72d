"""Rows for the tests of the writers: ordinary ones, and every naughty text we could think of."""

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from webapp.pipeline.formats import Column, ExportInfo, WriteResult, get_format
from webapp.resources.types import Choice, DateTime, Email, Integer, Money, Reference, Text

COLUMNS = (
    Column("serial_number", "Serial number", Text(100)),
    Column("title", "Title", Text()),
    Column("description", "Description", Text(20_000, multiline=True)),
    Column("category", "Category", Reference(resource="categories")),
    Column("email", "E-mail", Email()),
    Column("kind", "Kind", Choice(options=("sale", "adjustment"))),
    Column("cost_price", "Cost price", Money()),
    Column("quantity", "Quantity", Integer()),
    Column("occurred_at", "Date", DateTime()),
)
TEXTS = tuple(index for index, column in enumerate(COLUMNS) if isinstance(column.type, Text | Reference))

GENERATED = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)

NAUGHTY = (
    'He said "no", twice; and left',
    "two\nlines, and\r\nthree\rfour",
    "NUL\x00inside",
    "bell\x07 escape\x1b unit\x1f",
    "emoji 🦔🧑‍🔧 and flags 🇧🇷",
    "מברג פיליפס 12 מ״מ",
    "مفك براغي",
    "x" * 10_000,
    "=cmd|' /C calc'!A0",
    "=1+1",
    "+55 11 91234-5678",
    "-2+3",
    "@SUM(A1:A9)",
    "\tstarts with a tab",
    "'quoted'",
    "''twice",
    "]]>",
    "<script>alert(1)</script> & <b>bold</b>",
    "&amp; &lt; &#0;",
    "<?xml version='1.0'?>",
    "lone \ud800 surrogate",
    "not characters \ufffe \uffff",
    "private \ue000 use",
    "_x0041_ and _x005F_",
    "NA",
    "None",
    "null",
    "nan",
    "00123",
    "1.234,56",
    "1E5",
    "7891234567890123",
    "TRUE",
    " padded ",
    "{{ 7*7 }} {% raw %} %(name)s %s",
    "file:///etc/passwd",
    '<img src="file:///etc/passwd"><link rel=attachment href="http://127.0.0.1:9/">',
    "\ufeffbom first",
    "\u202eevil\u202c bidi",
    "combining e\u0301 \u200b zero width",
    "",
)


def make_row(text: str, number: int) -> tuple[Any, ...]:
    """Return a row that holds ``text`` in each text column."""
    moment = datetime(2026, 1, 31, 14, 30, number % 60, tzinfo=UTC)
    row = (None, None, None, None, None, "sale", Decimal(number).scaleb(-4), number - 5, moment)
    return tuple(text if index in TEXTS else value for index, value in enumerate(row))


NAUGHTY_ROWS = [make_row(text, number) for number, text in enumerate(NAUGHTY)]
EMPTY_ROW: tuple[Any, ...] = (None,) * len(COLUMNS)
PLAIN_ROWS = [
    (
        f"SN-{number:05d}",
        f"Product {number}",
        "Plain text",
        "Tools",
        "a@example.com",
        "sale",
        Decimal(number) / 8,
        number,
        datetime(2026, 7, 1, 12, 0, number % 60, 1000 * (number % 7), tzinfo=UTC),
    )
    for number in range(1000)
]


def make_info(**changes: Any) -> ExportInfo:
    """Return what a file says about itself."""
    values: dict[str, Any] = {
        "resource": "products",
        "title": "Products",
        "filters": (("Category", "Tools & <Parts>"),),
        "generated_at": GENERATED,
    }
    return ExportInfo(**(values | changes))


def split(rows: Sequence[tuple[Any, ...]], size: int = 7) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Yield the rows in batches, as a cursor does."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def export(
    name: str,
    rows: Sequence[tuple[Any, ...]],
    options: Mapping[str, Any] | None = None,
    columns: Sequence[Column] = COLUMNS,
    **info: Any,
) -> tuple[bytes, WriteResult]:
    """Write the rows and return the file's bytes and the writer's result."""
    format_ = get_format(name)
    file = io.BytesIO()
    result = format_.writer(
        split(rows), columns, file, make_info(**info), format_.clean_options(options or {})
    )
    assert not file.closed
    return file.getvalue(), result


def replace_surrogates(text: str) -> str:
    """Return what a lone surrogate becomes in a file."""
    return text.replace("\ud800", "\ufffd")
