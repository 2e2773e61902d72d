"""JSON: an array of objects, one a line, or the same objects as NDJSON. Streamed either way.

Whole numbers are JSON numbers. Amounts are strings by default, because most readers turn a number
into a float, which cannot hold every amount; the option ``number`` writes all their digits as numbers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import orjson

from webapp.pipeline.write_base import Batch, Column, ExportInfo, WriteResult
from webapp.pipeline.write_text import TextOutput, format_moments_utc, format_money
from webapp.resources.types import PLAIN, DateTime, Integer, Money


def write(
    batches: Iterable[Batch],
    columns: Sequence[Column],
    file: BinaryIO,
    info: ExportInfo,  # noqa: ARG001 - records only, nothing about the file
    options: Mapping[str, Any],
) -> WriteResult:
    """Write one array: ``[``, an object a line, ``]``."""
    return _write(batches, columns, file, options, before="[\n", between=",\n", after="\n]\n")


def write_lines(
    batches: Iterable[Batch],
    columns: Sequence[Column],
    file: BinaryIO,
    info: ExportInfo,  # noqa: ARG001 - records only, nothing about the file
    options: Mapping[str, Any],
) -> WriteResult:
    """Write one object a line and nothing else (NDJSON, also called JSON Lines)."""
    return _write(batches, columns, file, options, before="", between="\n", after="\n")


def _write(
    batches: Iterable[Batch],
    columns: Sequence[Column],
    file: BinaryIO,
    options: Mapping[str, Any],
    *,
    before: str,
    between: str,
    after: str,
) -> WriteResult:
    rows = 0
    with TextOutput(file, compress=options["gzip"]) as output:
        output.write(before)
        for batch in batches:
            if not batch:
                continue
            lines = _format_batch(batch, columns, output, as_number=options["numbers"] == "number")
            output.write(between if rows else "")
            output.write(between.join(lines))
            rows += len(batch)
        output.write(after if rows else after.lstrip())
    return WriteResult(rows, output.notes)


def _format_batch(
    batch: Batch, columns: Sequence[Column], output: TextOutput, *, as_number: bool
) -> Iterator[str]:
    """Format a column at a time, and put each row's values between the names of its fields."""
    pairs = []
    cells = []
    for values, column in zip(zip(*batch, strict=True), columns, strict=False):
        kind = column.type
        if isinstance(kind, Integer):
            texts, place = list(map(str, values)), "%s"
        elif isinstance(kind, Money):
            texts, place = format_money(values, PLAIN), "%s" if as_number else '"%s"'
        elif isinstance(kind, DateTime):
            texts, place = format_moments_utc(values), '"%s"'
        else:
            texts, place = _encode_texts(values, output), '"%s"'
        if None in values:
            texts = ["null" if v is None else place % text for v, text in zip(values, texts, strict=True)]
            place = "%s"
        pairs.append(f"{orjson.dumps(column.name).decode()}:".replace("%", "%%") + place)
        cells.append(texts)
    template = "{" + ",".join(pairs) + "}"
    return map(template.__mod__, zip(*cells, strict=True))


def _encode_texts(values: Sequence[str | None], output: TextOutput) -> list[str]:
    """Return the texts of a column as JSON has them, without their quotation marks.

    One call encodes them all. What then stands between two texts, ``","``, cannot be inside one,
    where a quotation mark always has a backslash before it.
    """
    texts = [value or "" for value in values]
    try:
        data = orjson.dumps(texts)
    except TypeError:  # a lone surrogate
        data = orjson.dumps([output.clean(text) for text in texts])
    return data[2:-2].decode().split('","')
