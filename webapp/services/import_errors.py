"""The rows that an import did not take: page by page, by reason, and as a file to correct."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask_babel import force_locale, get_locale, gettext
from sqlalchemy import Select, String, cast, func, select, tuple_

from webapp.extensions import db
from webapp.models import DataImport, ImportRowError
from webapp.pipeline.formula import neutralise_formula
from webapp.pipeline.mapping import REASON_COLUMN
from webapp.pipeline.write_csv import BOM, LINE_END, quote
from webapp.resources.registry import RESOURCES
from webapp.resources.types import Problem

GROUP_LINES = 5
GROUPED_ERRORS = 100_000
READ_AT_ONCE = 1_000
TRANSLATED = ("kind", "field")  # params that are labels


@dataclass(frozen=True)
class ErrorGroup:
    """One reason with one value: how many rows it stopped, and the first lines of them."""

    column: str
    reason: Problem
    value: str
    count: int
    lines: tuple[int, ...]


def list_row_errors(
    data_import: DataImport,
    *,
    after: tuple[int, int] | None = None,
    limit: int = 100,
    reason: str = "",
    column: str = "",
    text: str = "",
) -> Sequence[ImportRowError]:
    """Return what was wrong with the rows of the last check or import, from past ``after`` (line, id).

    ``reason`` is a message as it is stored, ``text`` is looked for in the values.
    """
    query = _select(data_import)
    if reason:
        query = query.where(ImportRowError.message == reason)
    if column:
        query = query.where(ImportRowError.column == column)
    if text:
        query = query.where(ImportRowError.value.icontains(text, autoescape=True))
    if after is not None:
        query = query.where(tuple_(ImportRowError.line, ImportRowError.id) > after)
    return db.session.scalars(query.limit(limit)).all()


def _select(data_import: DataImport) -> Select[ImportRowError]:
    # Each check and each try clears what the one before it has said, so all of it is of the last one.
    query = select(ImportRowError).where(ImportRowError.data_import_id == data_import.id)
    return query.order_by(ImportRowError.line, ImportRowError.id)


def group_row_errors(data_import: DataImport, limit: int = 50) -> list[ErrorGroup]:
    """Return the most frequent reasons, each with its value: what one correction may settle.

    Of very many errors the first 100,000 are looked at.
    """
    error = ImportRowError
    looked_at = _select(data_import).with_only_columns(
        error.id,
        error.line,
        error.column,
        error.message,
        error.value,
        cast(error.params, String).label("text"),
    )
    part = looked_at.limit(GROUPED_ERRORS).subquery()
    alike = (part.c.column, part.c.message, part.c.value, part.c.text)
    ranked = select(
        part.c.line,
        func.min(part.c.id).over(partition_by=alike).label("first_id"),
        func.count().over(partition_by=alike).label("count"),
        func.row_number().over(partition_by=alike, order_by=(part.c.line, part.c.id)).label("place"),
    ).subquery()
    query = (
        select(ranked)
        .where(ranked.c.place <= GROUP_LINES)
        .order_by(ranked.c.count.desc(), ranked.c.first_id, ranked.c.place)
        .limit(limit * GROUP_LINES)
    )
    groups: dict[int, list[Any]] = {}
    for row in db.session.execute(query):
        groups.setdefault(row.first_id, []).append(row)
    chosen = dict(list(groups.items())[:limit])
    firsts = {item.id: item for item in db.session.scalars(select(error).where(error.id.in_(chosen)))}
    return [_make_group(firsts[first_id], rows) for first_id, rows in chosen.items()]


def _make_group(first: ImportRowError, rows: Sequence[Any]) -> ErrorGroup:
    reason = Problem(first.message, first.advice, **first.params)
    lines = tuple(row.line for row in rows)
    return ErrorGroup(first.column or "", reason, first.value or "", rows[0].count, lines)


def open_failed_rows(data_import: DataImport) -> Iterator[bytes]:
    """Yield a CSV file of the rows that were not taken, as they were, with the reasons in a last column.

    Columns and delimiter are those of the file, so that the corrected rows can be uploaded again; the
    column of the reasons is known then, and ignored.
    """
    dialect = data_import.dialect or {}
    columns = [name for name in dialect.get("columns") or () if name != REASON_COLUMN]
    delimiter = dialect.get("delimiter") if dialect.get("kind") == "csv" else ","
    language = str(get_locale() or "en")
    return _write_failed_rows(data_import, columns, delimiter or ",", language)


def _write_failed_rows(
    data_import: DataImport, columns: Sequence[str], delimiter: str, language: str
) -> Iterator[bytes]:
    yield (BOM + _join([*columns, REASON_COLUMN], delimiter)).encode()
    for errors in _read_in_parts(data_import):
        lines = []
        with force_locale(language):
            for _, reasons in groupby(errors, key=lambda item: item.line):
                found = list(reasons)
                row = next((item.row for item in found if item.row is not None), {})
                cells = [neutralise_formula(str(row.get(name, ""))) for name in columns]
                lines.append(_join([*cells, " ".join(map(_explain, found))], delimiter))
        yield "".join(lines).encode("utf-8", "replace")


def _read_in_parts(data_import: DataImport) -> Iterator[Sequence[ImportRowError]]:
    """Read whole lines, some hundred at a time: the reasons of one row stay together."""
    after = 0
    while True:
        lines = select(ImportRowError.line).where(
            ImportRowError.data_import_id == data_import.id, ImportRowError.line > after
        )
        part = db.session.scalars(lines.distinct().order_by(ImportRowError.line).limit(READ_AT_ONCE)).all()
        if not part:
            return
        between = ImportRowError.line.between(part[0], part[-1])
        yield db.session.scalars(_select(data_import).where(between)).all()
        db.session.expunge_all()
        after = part[-1]


def _join(cells: Sequence[str], delimiter: str) -> str:
    return delimiter.join(quote(cell, delimiter) for cell in cells) + LINE_END


def _explain(item: ImportRowError) -> str:
    column = f"{item.column}: " if item.column else ""
    params = {name: _translate(name, value) for name, value in item.params.items()}
    texts = [gettext(part) % params for part in (item.message, item.advice) if part]
    return column + " ".join(texts)


def _translate(name: str, value: Any) -> Any:
    if name == "resource" and value in RESOURCES:
        return gettext(RESOURCES[value].label_plural).lower()
    return gettext(value) if name in TRANSLATED else value


def count_failed_rows(data_import: DataImport) -> int:
    """Return how many rows are not taken."""
    query = select(func.count(ImportRowError.line.distinct()))
    return db.session.scalar(query.where(ImportRowError.data_import_id == data_import.id)) or 0
