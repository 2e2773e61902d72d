"""Workbooks that would not fit into memory are refused before they are parsed, however they are written."""

import io
import zipfile
from typing import Any

import pytest
import xlsxwriter

from tests.pipeline.test_read_xlsx import make_book, make_sheet
from webapp.pipeline.read import Limits, ReadProblem, read_table

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

# Three rows of two cells, as XML allows them to be written.
SHEETS = {
    "plain": '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row><row r="3"><c r="B3"><v>3</v></c></row>',
    "small letters": '<row r="1"><c r="a1"><v>1</v></c><c r="b1"><v>2</v></c></row><row r="3"><c r="b3"><v>3</v></c></row>',
    "other quotes": "<row r='1'><c r='A1'><v>1</v></c><c r='B1'><v>2</v></c></row><row r='3'><c r='B3'><v>3</v></c></row>",
    "spaces": '<row r = "1"><c r = "A1"><v>1</v></c><c\tr\n=\n"B1"><v>2</v></c></row><row r="3"><c r = "B3"><v>3</v></c></row>',
    "position last": '<row spans="1:2" r="1"><c s="0" r="A1"><v>1</v></c><c s="0" r="B1"><v>2</v></c></row>'
    '<row r="3"><c s="0" r="B3"><v>3</v></c></row>',
    "no positions": "<row><c><v>1</v></c><c><v>2</v></c></row><row/><row><c/><c><v>3</v></c></row>",
    "some positions": '<row><c><v>1</v></c><c><v>2</v></c></row><row r="3"><c r="A3"/><c><v>3</v></c></row>',
    "a comment": '<row r="1"><c r="A1"><v>1</v></c><c><v>2</v></c></row><row/>'
    '<!-- <row r="1"> <c r="XFD9"> --><row><c/><c><v>3</v></c></row>',
    "a prefix": '<x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c><x:c r="B1"><x:v>2</x:v></x:c></x:row>'
    '<x:row r="3"><x:c r="B3"><x:v>3</x:v></x:c></x:row>',
}


def write_book(rows: str, path: str = "worksheets/sheet1.xml") -> io.BytesIO:
    """Write a workbook whose sheet's rows are given as XML, in a file of this name."""
    x = "x:" if "<x:" in rows else ""
    sheet = f'<{x}worksheet xmlns{x and ":x"}="{MAIN}"><{x}sheetData>{rows}</{x}sheetData></{x}worksheet>'
    file = io.BytesIO()
    with zipfile.ZipFile(make_sheet(["to be replaced"])) as book, zipfile.ZipFile(file, "w") as archive:
        for name in book.namelist():
            if name == "xl/worksheets/sheet1.xml":
                archive.writestr(f"xl/{path}", sheet)
            else:
                text = book.read(name).decode()
                archive.writestr(name, text.replace("worksheets/sheet1.xml", path))
    return file


@pytest.mark.parametrize("kind", SHEETS)
def test_the_cells_of_a_sheet_are_counted_however_they_are_written(kind: str) -> None:
    (chunk,) = read_table(write_book(SHEETS[kind]), header_line=1, limits=Limits(max_sheet_area=6)).chunks()
    assert (chunk.columns, chunk.lines) == ({"1": [""], "2": ["3"]}, [3])
    with pytest.raises(ReadProblem, match="as far as column B and row 3"):
        read_table(write_book(SHEETS[kind]), limits=Limits(max_sheet_area=5))


def test_a_sheet_is_known_whatever_the_name_of_its_file() -> None:
    file = write_book(SHEETS["plain"], "other/data.bin")
    assert read_table(file, header_line=1).columns == ["1", "2"]
    with pytest.raises(ReadProblem, match="column B and row 3"):
        read_table(file, limits=Limits(max_sheet_area=5))


def test_a_tag_without_an_end_is_no_workbook() -> None:
    with pytest.raises(ReadProblem, match="damaged"):
        read_table(write_book('<row r="1"><c r="A1' + " " * 5_000_000))


@pytest.mark.parametrize("texts", ["shared", "in place"])
def test_the_texts_of_a_sheet_are_counted_as_often_as_they_are_shown(texts: str) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "constant_memory": texts == "in place"}) as book:
        sheet = book.add_worksheet()
        for row in range(300):
            sheet.write_row(row, 0, [f"sku {row}", "x" * 1000 if row else "note"])
    assert len(file.getvalue()) < 20_000
    limit = 299 * 1000
    with pytest.raises(ReadProblem, match="With the texts of its cells, a sheet takes more than"):
        read_table(file, limits=Limits(max_sheet_bytes=limit))
    around = 300 * 200  # the other column, and the markup of both
    (chunk,) = read_table(file, limits=Limits(max_sheet_bytes=limit + around)).chunks()
    assert len(chunk.lines) == 299


def test_one_long_text_does_not_count_for_others() -> None:
    def fill(sheet: Any) -> None:
        sheet.write_column(0, 0, ["name", "x" * 10_000, *(f"name {number}" for number in range(1000))])

    (chunk,) = read_table(make_book(fill), limits=Limits(max_sheet_bytes=200_000)).chunks()
    assert len(chunk.lines) == 1001


def test_stray_last_cell_is_refused_before_it_takes_all_memory() -> None:
    def fill(sheet: Any) -> None:
        sheet.write(0, 0, "sku")
        sheet.write(1_048_575, 16_383, "stray")

    with pytest.raises(ReadProblem, match="as far as column XFD and row 1048576"):
        read_table(make_book(fill))


def test_inflated_size_is_capped() -> None:
    file = make_sheet(["sku"], *[["x" * 1000 + str(number)] for number in range(1000)])
    assert len(file.getvalue()) < 100_000
    with pytest.raises(ReadProblem, match="Unpacked"):
        read_table(file, limits=Limits(max_inflated_bytes=100_000))


def test_a_directory_that_lies_about_sizes_does_not_help() -> None:
    file = make_sheet(["sku"], *[["x" * 1000 + str(number)] for number in range(1000)])
    data = bytearray(file.getvalue())
    with zipfile.ZipFile(file) as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
    size = largest.file_size.to_bytes(4, "little")
    place = data.index(size, data.index(b"PK\x01\x02"))
    data[place : place + 4] = (10).to_bytes(4, "little")
    with pytest.raises(ReadProblem, match="Unpacked"):
        read_table(io.BytesIO(bytes(data)), limits=Limits(max_inflated_bytes=100_000))
