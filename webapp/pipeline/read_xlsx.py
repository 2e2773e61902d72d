"""Reading XLSX through python-calamine: typed cells become the text that a CSV would hold."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from webapp.pipeline.dialect import Dialect
from webapp.pipeline.formula import restore_formula_text
from webapp.pipeline.limits import Limits
from webapp.pipeline.problems import ReadProblem, make_notice
from webapp.pipeline.read_fit import Batch, check_cells, fit, is_blank
from webapp.pipeline.read_header import find_header, name_columns
from webapp.pipeline.read_survey import Survey, survey_rows
from webapp.pipeline.xlsx_guard import check_workbook, unreadable_workbook
from webapp.resources.base import N_

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_BATCH_ROWS = 500
_HEADER_RECORDS = 50
_SIGNIFICANT = 15  # digits that Excel keeps and shows; what a float has beyond is noise


def inspect_xlsx(file: BinaryIO, limits: Limits, given: dict[str, Any]) -> tuple[Dialect, Survey]:
    """Return the dialect of a workbook's sheet, its style still undecided, and what all rows showed."""
    notices = check_workbook(file, limits).notices
    workbook = _open_workbook(file)
    sheets = list_sheets(workbook)
    sheet = _choose_sheet(workbook, sheets, given.get("sheet", ""))
    if len(sheets) > 1:
        message = N_("The workbook has %(count)s sheets; “%(sheet)s” is read.")
        notices.append(make_notice(message, count=len(sheets), sheet=sheet.name))
    header_line = given.get("header_line") or _find_header_line(sheet)
    if header_line > 1:
        message = N_("The header is on line %(line)s; the lines before it are skipped.")
        notices.append(make_notice(message, line=header_line))
    names, renamed = name_columns(_read_header(sheet, header_line), limits)
    dialect = Dialect(
        kind="xlsx",
        header_line=header_line,
        sheet=sheet.name,
        sheets=tuple(sheets),
        columns=tuple(names),
        footer_line=given.get("footer_line", 0),
    )
    batches = _read_sheet(sheet, dialect, limits)
    survey = survey_rows(batches, len(names), limits, footer="footer_line" not in given)
    count = survey.keep_named(names, renamed)
    return replace(dialect, columns=tuple(names[:count]), notices=tuple(notices)), survey


def read_xlsx(file: BinaryIO, dialect: Dialect, limits: Limits) -> Iterator[Batch]:
    """Yield the rows below the header; the line of a row is its number in the sheet."""
    sheet = _open_sheet(_open_workbook(file), dialect.sheet)
    for batch in _read_sheet(sheet, dialect, limits):
        if dialect.footer_line and batch.lines and batch.lines[-1] >= dialect.footer_line:
            yield batch.cut_before(dialect.footer_line)
            return
        yield batch


def cell_text(value: Any) -> str:
    """Return the text of a typed cell: no ``.0``, no exponent, dates as ISO 8601, true and false."""
    return _AS_TEXT[type(value)](value)


def _float_text(value: float) -> str:
    if value.is_integer() and abs(value) < 10**_SIGNIFICANT:
        return str(int(value))
    return format(Decimal(format(value, f".{_SIGNIFICANT}g")), "f")


def _moment_text(value: datetime) -> str:
    if value.time() == time():
        return value.date().isoformat()
    return value.isoformat(sep=" ", timespec="microseconds" if value.microsecond else "seconds")


def _duration_text(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


_AS_TEXT: dict[type, Callable[[Any], str]] = {
    str: restore_formula_text,
    float: _float_text,
    int: str,
    bool: lambda value: "true" if value else "false",
    datetime: _moment_text,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: _duration_text,
}


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn what the parser raises for a damaged workbook into ReadProblem."""
    from python_calamine import CalamineError  # noqa: PLC0415 - not for the web process

    try:
        yield
    except (CalamineError, OSError, ValueError) as error:
        raise unreadable_workbook() from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # Rust's own, which is no Exception
            raise unreadable_workbook() from error
        raise


def _open_workbook(file: BinaryIO) -> "CalamineWorkbook":
    from python_calamine import CalamineWorkbook  # noqa: PLC0415 - not for the web process

    file.seek(0)
    with _plain_errors():
        return CalamineWorkbook.from_filelike(file)


def _open_sheet(workbook: "CalamineWorkbook", name: str) -> "CalamineSheet":
    if name not in workbook.sheet_names:
        raise ReadProblem(
            N_("The workbook has no sheet “%(sheet)s”."), N_("Choose one of its sheets."), sheet=name
        )
    with _plain_errors():
        return workbook.get_sheet_by_name(name)


def list_sheets(workbook: "CalamineWorkbook") -> list[str]:
    """Return the names of the sheets that hold cells and can be seen, else of all that hold cells."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415 - not for the web process

    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    return visible or [sheet.name for sheet in sheets]


def _choose_sheet(workbook: "CalamineWorkbook", names: list[str], wanted: str) -> "CalamineSheet":
    """Return the sheet asked for, else the first in which something is written."""
    if wanted:
        names = [wanted]
    for name in names:
        sheet = _open_sheet(workbook, name)
        if sheet.start is not None:
            return sheet
    raise ReadProblem(N_("The sheet is empty."), N_("Choose a sheet with a header line and rows below it."))


def _find_header_line(sheet: "CalamineSheet") -> int:
    rows = enumerate(sheet.iter_rows(), start=1)
    texts = ((line, [cell_text(value) for value in row]) for line, row in rows)
    return find_header(islice(((line, row) for line, row in texts if any(row)), _HEADER_RECORDS))


def _read_header(sheet: "CalamineSheet", line: int) -> list[str]:
    """Return the header's cells up to the last one that any row fills."""
    row = next(islice(sheet.iter_rows(), line - 1, None), [])
    cells = [cell_text(value) for value in row]
    if is_blank(cells):
        raise ReadProblem(
            N_("Line %(line)s, where the header should be, is empty."),
            N_("Choose the line that holds the column names."),
            line=line,
        )
    return cells


def _read_sheet(sheet: "CalamineSheet", dialect: Dialect, limits: Limits) -> Iterator[Batch]:
    rows = enumerate(islice(sheet.iter_rows(), dialect.header_line, None), start=dialect.header_line + 1)
    while part := list(islice(rows, _BATCH_ROWS)):
        lines = [line for line, _ in part]
        texts = [[cell_text(value) for value in row] for _, row in part]
        problems = {}
        for line, row in zip(lines, texts, strict=True):
            problem = check_cells(row, limits.max_cell_length)
            if problem:
                problems[line] = problem
        yield fit(Batch(lines, texts, problems), len(dialect.columns))
