"""XLSX: typed cells as text, sheets, and workbooks that would not fit into memory."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from webapp.pipeline.read import Limits, ReadProblem, Table, read_table


def make_book(fill: Callable[[Any], None], *more: str) -> io.BytesIO:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        fill(book.add_worksheet("Stock"))
        for name in more:
            book.add_worksheet(name).write_row(0, 0, ["other", name])
    return file


def make_sheet(*rows: list[Any]) -> io.BytesIO:
    """Write rows through openpyxl, which keeps types and writes what it is told."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file


def get_rows(table: Table) -> dict[int, list[str]]:
    rows: dict[int, list[str]] = {}
    for chunk in table.chunks(2):
        assert not chunk.problems
        rows |= dict(zip(chunk.frame.index, chunk.frame.to_numpy().tolist(), strict=True))
    return rows


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("00123", "00123"),
        (5, "5"),
        (5.0, "5"),
        (1.5, "1.5"),
        (-0.25, "-0.25"),
        (0.1 + 0.2, "0.3"),
        (19.99 * 3, "59.97"),
        (1e-7, "0.0000001"),
        (7891234567890, "7891234567890"),
        (123456789012345, "123456789012345"),
        (1e21, "1000000000000000000000"),
        (True, "true"),
        (False, "false"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31), "2026-01-31"),  # noqa: DTZ001 - a spreadsheet knows no zones
        (datetime(2026, 1, 31, 14, 30), "2026-01-31 14:30:00"),  # noqa: DTZ001
        (time(14, 30), "14:30:00"),
        (timedelta(hours=30, minutes=5), "30:05:00"),
        ("'=1+1", "=1+1"),
        ("''tis", "'tis"),
        ("1.234,56", "1.234,56"),
        ("NA", "NA"),
        ("line\nbreak", "line\nbreak"),
        (" blanks ", " blanks "),
    ],
)
def test_typed_cells_become_text(value: Any, text: str) -> None:
    table = read_table(make_sheet(["sku", "value"], ["a", value]))
    assert get_rows(table) == {2: ["a", text]}


def test_lines_are_sheet_rows_and_blank_rows_are_skipped() -> None:
    def fill(sheet: Any) -> None:
        sheet.write(1, 1, "Stock report")
        sheet.write_row(3, 1, ["sku", "title", "qty"])
        sheet.write_row(4, 1, ["a", "A", 1])
        sheet.write_row(9, 1, ["b", "B"])
        sheet.write_row(10, 1, ["Total", "", 1])

    table = read_table(make_book(fill))
    assert table.dialect.header_line == 4
    assert table.columns == ["sku", "title", "qty"]
    assert get_rows(table) == {5: ["a", "A", "1"], 10: ["b", "B", ""]}
    assert (table.dialect.rows, table.dialect.footer_line) == (2, 11)
    assert get_rows(read_table(table.source, dialect=table.dialect)) == get_rows(table)
    assert [list(chunk.frame.index) for chunk in table.chunks(start_line=5)] == [[10]]


def test_columns_without_name_and_value_at_the_end_are_dropped() -> None:
    table = read_table(make_sheet(["a", "b", "", " "], ["1", "2", "", ""], ["3", "4", "", " "]))
    assert table.columns == ["a", "b"]
    assert get_rows(table) == {2: ["1", "2"], 3: ["3", "4"]}
    table = read_table(make_sheet(["a", "b", "", ""], ["1", "2", "x", ""]))
    assert table.columns == ["a", "b", "column 3"]


def test_sheets_can_be_picked() -> None:
    file = make_book(lambda sheet: sheet.write_row(0, 0, ["sku", "qty"]), "Prices")
    table = read_table(file)
    assert (table.dialect.sheet, table.dialect.sheets) == ("Stock", ("Stock", "Prices"))
    assert table.columns == ["sku", "qty"]
    texts = [notice["message"] % notice["params"] for notice in table.dialect.notices]
    assert "The workbook has 2 sheets; “Stock” is read." in texts
    other = read_table(file, sheet="Prices")
    assert other.columns == ["other", "Prices"]
    assert read_table(file, dialect=other.dialect).columns == ["other", "Prices"]
    with pytest.raises(ReadProblem, match="no sheet"):
        read_table(file, sheet="Nowhere")


def test_the_first_sheet_that_holds_something_is_read() -> None:
    assert read_table(make_book(lambda _: None, "Prices")).dialect.sheet == "Prices"
    with pytest.raises(ReadProblem, match="sheet is empty"):
        read_table(make_book(lambda _: None))


def test_error_cells_are_told_of() -> None:
    def fill(sheet: Any) -> None:
        sheet.write_row(0, 0, ["sku", "qty"])
        sheet.write(1, 0, "a")
        sheet.write_formula(1, 1, "=1/0", None, "#DIV/0!")
        sheet.write_formula(2, 1, "=NA()", None, "#N/A")

    table = read_table(make_book(fill))
    texts = [notice["message"] % notice["params"] for notice in table.dialect.notices]
    assert any(
        "Cells that hold an error such as #N/A and are read as empty: 2 (the first is B2)" in text
        for text in texts
    )


def test_numbers_need_no_question_about_thousands() -> None:
    table = read_table(make_sheet(["sku", "price"], ["a", 1.234], ["b", 5.678]))
    assert table.dialect.decimal == "."
    assert table.dialect.notices == ()


def test_damaged_workbook_gets_a_plain_answer() -> None:
    data = make_sheet(["sku"], ["a"]).getvalue()
    for broken in (data[: len(data) // 2], data[:200] + b"\x00" * 200 + data[400:]):
        with pytest.raises(ReadProblem):
            read_table(io.BytesIO(broken))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", "<nonsense")
    with pytest.raises(ReadProblem):
        read_table(file)


def test_cell_and_row_limits_hold() -> None:
    file = make_sheet(["sku"], ["xxxx"], ["y"])
    (chunk,) = read_table(file, limits=Limits(max_cell_length=3)).chunks()
    assert {line: problem.params["length"] for line, problem in chunk.problems.items()} == {2: 4}
    with pytest.raises(ReadProblem, match="more than"):
        read_table(file, limits=Limits(max_rows=1))


def test_cells_beyond_the_header_are_reported() -> None:
    (chunk,) = read_table(make_sheet(["a", "b"], ["1", "2"], ["3", "4", "5"]), header_line=1).chunks()
    assert chunk.problems == {}  # the third column got a name, because it holds something
    assert chunk.frame.columns.tolist() == ["a", "b", "column 3"]
