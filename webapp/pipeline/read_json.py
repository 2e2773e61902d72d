"""Reading JSON: an array of flat objects, or one object a line (NDJSON). Both are streamed.

A record's line is its physical line in NDJSON. In a JSON array, which may be written in one line,
it is the record's number plus one: as if a header stood on line 1 and a record on each line below.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO, TextIO, cast

from webapp.pipeline.dialect import Dialect
from webapp.pipeline.json_window import DECODER, JsonWindow
from webapp.pipeline.limits import Limits
from webapp.pipeline.problems import ReadProblem
from webapp.pipeline.read_encoding import detect_encoding, open_text
from webapp.pipeline.read_fit import Batch, check_cells, is_blank
from webapp.pipeline.read_survey import Survey, survey_rows
from webapp.resources.base import N_
from webapp.resources.types import Problem

_BATCH_ROWS = 500  # few records wait at a time: the garbage collector looks at each that does

Record = dict[str, Any] | Problem


def inspect_json(file: BinaryIO, limits: Limits, given: dict[str, Any], kind: str) -> tuple[Dialect, Survey]:
    """Return the dialect of a JSON file, its style still undecided, and what all its records showed."""
    facts, notices = detect_encoding(file, limits, given.get("encoding", ""))
    dialect = Dialect(kind=kind, encoding=facts.encoding, mixed=facts.is_mixed, notices=tuple(notices))
    names = _read_first_names(file, dialect, limits)
    while True:
        if len(names) > limits.max_columns:
            raise _too_many_names(len(names), limits)
        dialect = replace(dialect, columns=tuple(names))
        survey = survey_rows(_read(file, dialect, limits, names), len(dialect.columns), limits, footer=False)
        if len(names) == len(dialect.columns):
            return dialect, survey


def read_json(file: BinaryIO, dialect: Dialect, limits: Limits) -> Iterator[Batch]:
    """Yield the records as rows in the order of ``dialect.columns``; a missing key is an empty cell."""
    return _read(file, dialect, limits, dict.fromkeys(dialect.columns))


def _read(file: BinaryIO, dialect: Dialect, limits: Limits, names: dict[str, None]) -> Iterator[Batch]:
    """Yield the rows; names that are met for the first time are added to ``names``."""
    with open_text(file, dialect.encoding, mixed=dialect.mixed) as text:
        records = _read_records(text, dialect.kind, limits)
        while part := list(islice(records, _BATCH_ROWS)):
            for _, record in part:
                if isinstance(record, dict) and not record.keys() <= names.keys():
                    names.update(dict.fromkeys(record))
            yield _make_batch(part, dialect.columns, limits)


def value_text(value: Any) -> str:
    """Return the text of a JSON value, which is neither an object nor an array."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _make_batch(part: list[tuple[int, Record]], columns: tuple[str, ...], limits: Limits) -> Batch:
    lines: list[int] = []
    rows: list[list[str]] = []
    problems: dict[int, Problem] = {}
    for line, record in part:
        values = [] if isinstance(record, Problem) else list(map(record.get, columns))
        problem = record if isinstance(record, Problem) else None
        if set(map(type, values)) != {str}:
            problem = problem or _check_nested(values, columns)
            values = list(map(value_text, values)) or [""] * len(columns)
        row = cast("list[str]", values)
        problem = problem or check_cells(row, limits.max_cell_length)
        if problem:
            problems[line] = problem
            row = [cell[: limits.max_cell_length] for cell in row]
        elif is_blank(row):
            continue
        lines.append(line)
        rows.append(row)
    return Batch(lines, rows, problems)


def _check_nested(values: list[Any], columns: tuple[str, ...]) -> Problem | None:
    for name, value in zip(columns, values, strict=False):
        if isinstance(value, (dict, list)):
            return Problem(
                N_("“%(column)s” holds a list or an object instead of one value."),
                N_("Give one value for each column."),
                column=name,
            )
    return None


def _read_first_names(file: BinaryIO, dialect: Dialect, limits: Limits) -> dict[str, None]:
    """Return the keys of the first records, in the order of their appearance, found one record at least."""
    names: dict[str, None] = {}
    with open_text(file, dialect.encoding, mixed=dialect.mixed) as text:
        for number, (_, record) in enumerate(_read_records(text, dialect.kind, limits)):
            names.update({} if isinstance(record, Problem) else dict.fromkeys(record))
            if names and number >= _BATCH_ROWS:
                break
    if names:
        return names
    raise ReadProblem(
        N_("The file holds no records."), N_('Write them as a list of objects, such as [{"name": "Chai"}].')
    )


def _too_many_names(count: int, limits: Limits) -> ReadProblem:
    return ReadProblem(
        N_("The file has %(columns)s columns; at most %(limit)s are allowed."),
        N_("Remove columns that are not needed."),
        columns=count,
        limit=limits.max_columns,
    )


def _read_records(text: TextIO, kind: str, limits: Limits) -> Iterator[tuple[int, Record]]:
    return _read_lines(text) if kind == "ndjson" else _read_array(text, limits)


def _read_lines(text: TextIO) -> Iterator[tuple[int, Record]]:
    for line, source in enumerate(text, start=1):
        if not source.strip():
            continue
        try:
            yield line, _as_record(DECODER.decode(source))
        except (ValueError, RecursionError):
            yield (
                line,
                Problem(N_("The line is not a JSON object."), N_("Write one whole object on each line.")),
            )


def _as_record(value: Any) -> Record:
    if isinstance(value, dict):
        return value
    return Problem(N_("The record is not an object."), N_('Write each record as {"name": "value"}.'))


def _read_array(text: TextIO, limits: Limits) -> Iterator[tuple[int, Record]]:
    window = JsonWindow(text, limits.max_line_length)
    window.expect("[")
    number = 1
    if window.peek() == "]":
        return
    while True:
        number += 1
        yield number, _as_record(window.read_value())
        if window.skip_comma():
            continue
        if window.peek() == "]":
            return
        window.expect(",")
