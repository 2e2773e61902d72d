"""What is wrong with single rows, and what stops a file: each with its line and its own message."""

import io
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from webapp.pipeline.read import Limits, ReadProblem, read_table, sniff_kind


def get_problems(data: bytes, **overrides: Any) -> dict[int, str]:
    problems: dict[int, str] = {}
    for chunk in read_table(io.BytesIO(data), **overrides).chunks():
        assert set(chunk.problems) <= set(chunk.frame.index)
        problems |= {line: str(problem) for line, problem in chunk.problems.items()}
    return problems


def get_good_rows(data: bytes, **overrides: Any) -> dict[int, list[str]]:
    rows: dict[int, list[str]] = {}
    for chunk in read_table(io.BytesIO(data), **overrides).chunks():
        good = chunk.frame.drop(index=list(chunk.problems))
        rows |= dict(zip(good.index, good.to_numpy().tolist(), strict=True))
    return rows


ROW_PROBLEMS = {
    "too many cells": (
        b"a,b,c\n1,2,3\n1,2,3,4,,5\n",
        {3: "has 6 cells, but there are 3 columns; left over: 4 | 5"},
    ),
    "far too few cells": (b"a,b,c\n1,2,3\nbroken\n", {3: "only 1 of 3 cells"}),
    "a quote never closed": (
        b'a,b,c\n1,"x,2\n3,4,5\n6,7,8\n',
        {2: "The quote that opens on line 2 is never closed"},
    ),
    "a quote that closes in somebody else's row": (
        b'a,b,c\n1,2,3\n1,"x,2\n3,4,5\n6,"7",8\n',
        {3: "opens on line 3"},
    ),
    "a quote that opens after a cell of two lines": (
        b'a,b,c\n1,"x\ny","z\n3,4,5\n',
        {2: "opens on line 3"},
    ),
    "a quote inside a cell": (b'a,b,c\n1,"19" screen",2\n3,4,5\n', {2: "not doubled"}),
    "NUL": (b"a,b,c\n1,x\x00y,2\n3,4,5\n", {2: "The cell in column 2 holds a NUL"}),
    "a cell too long": (
        b"a,b,c\n1," + b"x" * 40 + b",2\n3,4,5\n",
        {2: "The cell in column 2 has 40 characters; at most 30 are allowed."},
    ),
    "a cell too long, over many lines": (
        b'a,b,c\n1,"' + b"x\n" * 40 + b'",2\n3,4,5\n',
        {2: "The cell in column 2 has 80 characters; at most 30 are allowed."},
    ),
    "a quote never closed that swallows more than a cell may hold": (
        b'a,b,c\n1,"x\n' + b"3,4,5\n" * 1000 + b'6,"7",8\n',
        {2: "opens on line 2"},
    ),
    "bytes that are not UTF-8 in a UTF-8 file": (
        "a,b,c\né,è,à\n".encode() + b"1,\xff,2\n3,4,5\n",
        {3: "bytes that are not UTF-8"},
    ),
}


@pytest.mark.parametrize("name", ROW_PROBLEMS)
def test_row_problem_names_its_line_and_leaves_the_other_rows_alone(name: str) -> None:
    data, expected = ROW_PROBLEMS[name]
    limits = Limits(max_cell_length=30)
    found = get_problems(data, limits=limits)
    assert found.keys() == expected.keys()
    for line, text in expected.items():
        assert text in found[line]
    good = get_good_rows(data, limits=limits)
    physical = data.decode("utf-8", "replace").split("\n")
    for line, row in good.items():
        assert ",".join(row) == physical[line - 1].replace('"', "")
    table = read_table(io.BytesIO(data), limits=limits)
    assert table.dialect.rows == len(good) + len(found)
    assert any("cannot be read as they stand" in notice["message"] for notice in table.dialect.notices)


def test_every_row_with_an_open_quote_is_reported_on_its_own() -> None:
    data = b"a,b,c\n" + b'1,"x,2\n3,4,5\n6,7,8\n' * 500
    found = get_problems(data)
    assert sorted(found) == list(range(2, 1502, 3))
    assert sorted(get_good_rows(data)) == [line for line in range(2, 1502) if line not in found]


def test_resuming_forgets_the_problems_of_skipped_rows() -> None:
    table = read_table(io.BytesIO(b"a,b,c\nx\n1,2,3\ny\n4,5,6\n"))
    chunks = list(table.chunks(start_line=2))
    assert [list(chunk.problems) for chunk in chunks] == [[4]]


LIMITS = {
    "bytes": (b"a,b\n1,2\n", Limits(max_bytes=7), "has 8 bytes; at most 7"),
    "rows": (b"a,b\n1,2\n\n3,4\n5,6\n", Limits(max_rows=1), "more than 1 rows; line 4 begins the next"),
    "columns": (b"a,b,c\n", Limits(max_columns=2), "has 3 columns; at most 2"),
    "names in JSON": (b'[{"a":1},{"b":1}]', Limits(max_columns=1), "has 2 columns; at most 1"),
    "line": (b"a" * 5_000_000, Limits(), "Line 1 has more than 4194304 characters"),
    "record in JSON": (
        b'[{"a":"' + b"a" * 5_000_000 + b'"}]',
        Limits(),
        "Line 1 has more than 4194304 characters",
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_each_limit_has_its_own_message(name: str) -> None:
    data, limits, text = LIMITS[name]
    with pytest.raises(ReadProblem) as caught:
        read_table(io.BytesIO(data), limits=limits)
    assert text in str(caught.value)
    assert caught.value.advice


def test_limits_allow_what_they_name() -> None:
    data = b"a,b\n1,2\n"
    limits = Limits(max_bytes=len(data), max_rows=1, max_columns=2, max_cell_length=1)
    assert read_table(io.BytesIO(data), limits=limits).dialect.rows == 1
    with pytest.raises(ReadProblem):
        read_table(io.BytesIO(data), limits=replace(limits, max_rows=0))


def make_zip(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


REFUSED = {
    "empty": (b"", "empty"),
    "blank": (b" \r\n\t\n", "empty"),
    "only a BOM": (b"\xef\xbb\xbf", "empty"),
    "blank UTF-16": ("\n \n".encode("utf-16"), "empty"),
    "gzip": (b"\x1f\x8b\x08\x00", "gzip"),
    "zip": (make_zip("stock.csv"), "zip archive"),
    "empty zip": (make_zip(), "zip archive"),
    "word": (make_zip("[Content_Types].xml", "word/document.xml"), "zip archive"),
    "ods": (
        b"PK\x03\x04" + b"\x00" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
        "OpenDocument",
    ),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 100, "old Excel workbook"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    "png": (b"\x89PNG\r\n\x1a\n\x00\x00", "image"),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image"),
    "gif": (b"GIF89a\x01\x00", "image"),
    "webp": (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image"),
    "html": (b"\n<!DOCTYPE html>\n<html>", "web page"),
    "html called xls": (b"<table border=1><tr><td>a", "web page"),
    "svg": (b'<?xml version="1.0"?>\n<svg xmlns="x">', "image"),
    "xml": (b'\xef\xbb\xbf<?xml version="1.0"?>\n<products>', "XML"),
    "sqlite": (b"SQLite format 3\x00\x10\x00", "SQLite"),
    "exe": (b"MZ\x90\x00\x03\x00\x00\x00", "program"),
    "elf": (b"\x7fELF\x02\x01", "program"),
    "parquet": (b"PAR1\x15\x04", "Parquet"),
    "binary": (bytes(range(128, 256)) + bytes(range(128)), "binary"),
    "zeros": (b"a,b\n" + bytes(50), "binary"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_gets_a_plain_answer(name: str) -> None:
    data, text = REFUSED[name]
    with pytest.raises(ReadProblem) as caught:
        read_table(io.BytesIO(data))
    assert text in caught.value.message
    assert caught.value.advice


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"sku;qty\n", "csv"),
        (b"MZ;qty\n1;2\n", "csv"),
        ("sku;qty\n".encode("utf-16"), "csv"),
        (b"<5 kg>,x\n", "csv"),
        (b"[id],[name]\n", "csv"),
        (b'\xef\xbb\xbf [\n {"a": 1}]', "json"),
        (b"[]", "json"),
        (b'{"a": 1}\n{"a": 2}\n', "ndjson"),
        # A name of its own: the archive holds the time, and test runs in parallel must agree on names.
        pytest.param(make_zip("[Content_Types].xml", "xl/workbook.xml")[:60], "xlsx", id="a workbook"),
    ],
)
def test_sniff_kind(head: bytes, kind: str) -> None:
    assert sniff_kind(head) == kind


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({"encoding": "klingon"}, "not an encoding"),
        ({"encoding": "base64"}, "not an encoding"),
        ({"encoding": "ascii"}, "Line 2 is not text in the encoding ascii"),
        ({"delimiter": ""}, "cannot be used as delimiter"),
        ({"delimiter": "::"}, "cannot be used as delimiter"),
        ({"quote": "\n"}, "cannot be used as quote"),
        ({"header_line": 3}, "Line 3, where the header should be, is empty"),
        ({"header_line": 99}, "Line 99, where the header should be, is empty"),
        ({"header_line": 0}, "cannot be used as header_line"),
        ({"decimal": "x"}, "cannot be used as decimal"),
        ({"date_order": "ydm"}, "cannot be used as date_order"),
    ],
)
def test_impossible_choices_are_answered(overrides: dict[str, Any], text: str) -> None:
    with pytest.raises(ReadProblem) as caught:
        read_table(io.BytesIO("a,b\né,2\n\n".encode()), **overrides)
    assert text in str(caught.value)


def test_unknown_overrides_are_mistakes_of_the_program() -> None:
    table = read_table(io.BytesIO(b"a,b\n1,2\n"))
    with pytest.raises(TypeError, match="colour"):
        read_table(io.BytesIO(b"a,b\n"), colour="red")
    with pytest.raises(TypeError, match="delimiter"):
        read_table(io.BytesIO(b"a,b\n"), dialect=table.dialect, delimiter=";")
