"""Reading CSV and its relatives: detection once, then records in batches."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO, TextIO

from webapp.pipeline.csv_form import CsvForm
from webapp.pipeline.dialect import Dialect
from webapp.pipeline.limits import Limits
from webapp.pipeline.problems import Notice, ReadProblem, make_notice
from webapp.pipeline.read_encoding import detect_encoding, open_text
from webapp.pipeline.read_fit import Batch, fit
from webapp.pipeline.read_header import find_header, name_columns
from webapp.pipeline.read_shape import SAMPLE_CHARACTERS, Sample, detect_form, read_lines
from webapp.pipeline.read_survey import Survey, survey_rows
from webapp.pipeline.read_tokens import read_tokens
from webapp.resources.base import N_

_BLOCK_CHARACTERS = 32 * 1024  # small blocks die young: measured 2.4 times as fast as 512 Ki
_HEADER_RECORDS = 50  # the header is looked for among so many


def inspect_csv(file: BinaryIO, limits: Limits, given: dict[str, Any]) -> tuple[Dialect, Survey]:
    """Return the dialect of a CSV file, its style still undecided, and what all its rows showed."""
    facts, notices = detect_encoding(file, limits, given.get("encoding", ""))
    start = Dialect(kind="csv", encoding=facts.encoding, mixed=facts.is_mixed)
    with open_text(file, start.encoding, mixed=start.mixed) as text:
        lines = text.readlines(SAMPLE_CHARACTERS)
        sample = Sample(lines, whole=not text.readline())
    known = {name: given[name] for name in ("delimiter", "quote", "escape") if name in given}
    form = detect_form(sample, replace(CsvForm(cell_limit=limits.max_cell_length), **known), tuple(known))
    header_line = given.get("header_line") or _find_header_line(sample, form)
    dialect = replace(start, **_as_dialect(form), header_line=header_line)
    dialect, survey = _survey(file, dialect, limits, given)
    if facts.backslash_quote and survey.problems and not form.escape and "escape" not in given:
        other, other_survey = _survey(file, replace(dialect, escape="\\"), limits, given)
        if other_survey.problems < survey.problems:
            dialect, survey = other, other_survey
    notices.extend(_tell_about_preamble(dialect))
    return replace(dialect, notices=tuple(notices)), survey


def read_csv(file: BinaryIO, dialect: Dialect, limits: Limits) -> Iterator[Batch]:
    """Yield the rows below the header, each as wide as ``dialect.columns``."""
    with open_text(file, dialect.encoding, mixed=dialect.mixed) as text:
        batches = _read_from_header(text, dialect, limits)
        next(batches, None)
        for batch in batches:
            whole = fit(batch, len(dialect.columns))
            if dialect.footer_line and whole.lines and whole.lines[-1] >= dialect.footer_line:
                yield whole.cut_before(dialect.footer_line)
                return
            yield whole


def _read_from_header(text: TextIO, dialect: Dialect, limits: Limits) -> Iterator[Batch]:
    """Yield the header record in a batch of its own, then the others."""
    for _ in range(dialect.header_line - 1):
        text.readline()
    blocks = iter(lambda: text.readlines(_BLOCK_CHARACTERS), [])
    for index, batch in enumerate(read_tokens(blocks, _as_form(dialect, limits), dialect.header_line)):
        if index:
            yield batch
            continue
        header = batch.lines[0]
        yield Batch(batch.lines[:1], batch.rows[:1], {})
        problems = {line: problem for line, problem in batch.problems.items() if line != header}
        yield Batch(batch.lines[1:], batch.rows[1:], problems)


def _survey(
    file: BinaryIO, dialect: Dialect, limits: Limits, given: dict[str, Any]
) -> tuple[Dialect, Survey]:
    """Name the columns and look at all rows; unnamed columns at the end that hold nothing are dropped."""
    names, renamed = _read_names(file, dialect, limits)
    dialect = replace(dialect, columns=tuple(names), footer_line=given.get("footer_line", 0))
    survey = survey_rows(
        read_csv(file, dialect, limits), len(names), limits, footer="footer_line" not in given
    )
    count = survey.keep_named(names, renamed)
    return replace(dialect, columns=tuple(names[:count])), survey


def _read_names(file: BinaryIO, dialect: Dialect, limits: Limits) -> tuple[list[str], list[Notice]]:
    with open_text(file, dialect.encoding, mixed=dialect.mixed) as text:
        header = next(_read_from_header(text, dialect, limits), None)
    if header is None or not any(cell.strip() for cell in header.rows[0]):
        raise ReadProblem(
            N_("Line %(line)s, where the header should be, is empty."),
            N_("Choose the line that holds the column names."),
            line=dialect.header_line,
        )
    return name_columns(header.rows[0], limits)


def _find_header_line(sample: Sample, form: CsvForm) -> int:
    batches = read_lines(sample, form)
    records = [pair for batch in batches for pair in zip(batch.lines, batch.rows, strict=True)]
    table = [(line, row) for line, row in records if not _is_separator_hint(line, row)]
    return find_header([(line, row) for line, row in table if any(row)][:_HEADER_RECORDS])


def _is_separator_hint(line: int, row: Any) -> bool:
    """Excel's own first line ``sep=;`` names the delimiter, which then ends an empty second cell."""
    return line == 1 and len(row) in (1, 2) and row[0].lower().startswith("sep=")


def _tell_about_preamble(dialect: Dialect) -> list[Notice]:
    if dialect.header_line == 1:
        return []
    message = N_("The header is on line %(line)s; the lines before it are skipped.")
    return [make_notice(message, line=dialect.header_line)]


def _as_form(dialect: Dialect, limits: Limits) -> CsvForm:
    return CsvForm(dialect.delimiter, dialect.quote, dialect.escape, dialect.padded, limits.max_cell_length)


def _as_dialect(form: CsvForm) -> dict[str, Any]:
    return {"delimiter": form.delimiter, "quote": form.quote, "escape": form.escape, "padded": form.padded}
