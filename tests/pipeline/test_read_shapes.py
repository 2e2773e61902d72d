"""Every shape that a real CSV has, compared cell by cell with what must come out."""

import io
from dataclasses import dataclass, field
from typing import Any

import pytest

from webapp.pipeline.read import Dialect, Table, read_table

ROWS = [["00123", "Chá verde", "1.50"], ["7891234567890", 'say "hi"', "2"]]
PLAIN = 'sku,title,price\n00123,Chá verde,1.50\n7891234567890,"say ""hi""",2\n'
SEMICOLON = PLAIN.replace(",", ";")


@dataclass
class Shape:
    name: str
    data: bytes
    rows: list[list[str]] = field(default_factory=lambda: ROWS)
    lines: list[int] = field(default_factory=lambda: [2, 3])
    columns: list[str] = field(default_factory=lambda: ["sku", "title", "price"])
    expected: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def bare(text: str) -> bytes:
    return text.encode("utf-8")


SHAPES = [
    Shape("utf-8", bare(PLAIN), expected={"encoding": "utf-8", "delimiter": ",", "rows": 2}),
    Shape("utf-8 with BOM", PLAIN.encode("utf-8-sig"), expected={"encoding": "utf-8-sig"}),
    Shape("utf-16 with BOM", PLAIN.encode("utf-16"), expected={"encoding": "utf-16"}),
    Shape("utf-16 little endian without BOM", PLAIN.encode("utf-16-le"), expected={"encoding": "utf-16-le"}),
    Shape("utf-16 big endian without BOM", PLAIN.encode("utf-16-be"), expected={"encoding": "utf-16-be"}),
    Shape(
        "cp1252",
        (PLAIN + "3,€ – “quoted”,4\n").encode("cp1252"),
        [*ROWS, ["3", "€ – “quoted”", "4"]],
        [2, 3, 4],
        expected={"encoding": "cp1252"},
        notices=["not UTF-8 (first seen on line 2); it is read as Windows-1252"],
    ),
    Shape(
        "latin-1 with a byte that cp1252 lacks",
        (PLAIN + "3,\x81,4\n").encode("latin-1"),
        [*ROWS, ["3", "\x81", "4"]],
        [2, 3, 4],
        expected={"encoding": "latin-1"},
        notices=["Latin-1"],
    ),
    Shape("semicolons", bare(SEMICOLON), expected={"delimiter": ";"}),
    Shape("tabs", bare(PLAIN.replace(",", "\t")), expected={"delimiter": "\t"}),
    Shape("pipes", bare(PLAIN.replace(",", "|")), expected={"delimiter": "|"}),
    Shape("crlf", bare(PLAIN.replace("\n", "\r\n"))),
    Shape("cr", bare(PLAIN.replace("\n", "\r"))),
    Shape(
        "mixed line ends",
        b"sku,title,price\r\na,b,c\rd,e,f\ng,h,i",
        [list("abc"), list("def"), list("ghi")],
        [2, 3, 4],
    ),
    Shape("no newline at the end", bare(PLAIN.rstrip("\n"))),
    Shape(
        "blank lines", bare("\n" + PLAIN.replace("\n", "\n\n  \n")), lines=[5, 8], expected={"header_line": 2}
    ),
    Shape("rows of nothing but separators", bare(PLAIN.replace("00123", ",,\n , ,\n00123")), lines=[4, 5]),
    Shape("trailing separators", bare(PLAIN.replace("\n", ",,\n"))),
    Shape("trailing separators in the rows only", bare(PLAIN.replace("1.50", "1.50,,"))),
    Shape(
        "sep= hint of Excel",
        bare("sep=;\r\n" + SEMICOLON),
        lines=[3, 4],
        expected={"delimiter": ";", "header_line": 2},
    ),
    Shape(
        "preamble",
        bare("Stock report\nMade on 2026-01-31\n\n" + PLAIN),
        lines=[5, 6],
        expected={"header_line": 4},
        notices=["The header is on line 4"],
    ),
    Shape(
        "preamble padded by a spreadsheet",
        bare("Stock report;;\n;;\n" + SEMICOLON),
        lines=[4, 5],
        expected={"header_line": 3},
    ),
    Shape(
        "newlines in cells",
        b'a,b\n1,"x\ny\r\nz"\n2,"\n"\n3,w\n',
        [["1", "x\ny\r\nz"], ["2", "\n"], ["3", "w"]],
        [2, 5, 7],
        ["a", "b"],
    ),
    Shape(
        "newline in the header",
        b'"a\nb",c\n1,2\n',
        [["1", "2"]],
        [3],
        ["a b", "c"],
        expected={"header_line": 1},
    ),
    Shape(
        "backslash-escaped quotes",
        b'a,b\n1,"say \\"hi\\", ok"\n2,"x"\n',
        [["1", 'say "hi", ok'], ["2", "x"]],
        columns=["a", "b"],
        expected={"escape": "\\"},
    ),
    Shape(
        "backslashes that escape nothing",
        b'a,b\n1,"C:\\dir\\"\n2,\\x\n3,"y"\n',
        [["1", "C:\\dir\\"], ["2", "\\x"], ["3", "y"]],
        [2, 3, 4],
        ["a", "b"],
        expected={"escape": ""},
    ),
    Shape(
        "apostrophes as quotes",
        b"a,b\n'1','x,y'\n'2','z'\n",
        [["1", "x,y"], ["2", "z"]],
        columns=["a", "b"],
        expected={"quote": "'"},
    ),
    Shape(
        "blanks after the delimiter",
        b'a, b\n1, "x, y"\n2, "z"\n',
        [["1", "x, y"], ["2", "z"]],
        columns=["a", "b"],
    ),
    Shape(
        "quotes as inches in tabs",
        b'a\tb\n1\t"5 inch\n2\t3" pipe\n',
        [["1", '"5 inch'], ["2", '3" pipe']],
        columns=["a", "b"],
        expected={"quote": ""},
    ),
    Shape(
        "footer with a total",
        bare(SEMICOLON + "Total;;3,50\n"),
        notices=["Line 4 (“Total”) reads like a footer"],
        expected={"footer_line": 4, "rows": 2},
    ),
    Shape(
        "footer with a count",
        bare(PLAIN + "\n(2 rows)\n"),
        expected={"footer_line": 5, "rows": 2},
        notices=["(2 rows)"],
    ),
    Shape(
        "footer of two lines",
        bare(PLAIN + "Total geral:,,3.50\n2 registros\n"),
        expected={"footer_line": 4, "rows": 2},
    ),
    Shape(
        "a last row about a brand called Total",
        b"name,description\nShell,Oil\nTotal,Oil\n",
        [["Shell", "Oil"], ["Total", "Oil"]],
        columns=["name", "description"],
        expected={"footer_line": 0},
    ),
    Shape(
        "repeated header names",
        b"id,id,id (2)\n1,2,3\n",
        [["1", "2", "3"]],
        [2],
        ["id", "id (3)", "id (2)"],
        notices=["“id” occurs more than once; column 2 is called “id (3)”"],
    ),
    Shape(
        "a column without a name",
        b"a,,b\n1,x,2\n3,y,4\n",
        [["1", "x", "2"], ["3", "y", "4"]],
        columns=["a", "column 2", "b"],
        notices=["Column 2 has no name"],
    ),
    Shape("header only", b"a,b\n", [], [], ["a", "b"], {"rows": 0}, ["a header, but no rows"]),
    Shape("header only, no newline", b"a;b", [], [], ["a", "b"], {"rows": 0, "delimiter": ";"}),
    Shape("one column", b"name\nAcme\n\nBeta\n", [["Acme"], ["Beta"]], [2, 4], ["name"]),
    Shape(
        "one column of prose",
        b"name\nSmith, John\nDoe, Jane\n",
        [["Smith, John"], ["Doe, Jane"]],
        [2, 3],
        ["name"],
    ),
    Shape("one column, quoted", b'name\n"Smith, John"\nx\n', [["Smith, John"], ["x"]], [2, 3], ["name"]),
    Shape("short rows", b"a,b,c\n1,2\n3,4,5\n", [["1", "2", ""], ["3", "4", "5"]], columns=["a", "b", "c"]),
    Shape(
        "decimal commas",
        b"a;b;c\n1,5;2,3;4,0\n1.234,56;7,8;9,1\n",
        [["1,5", "2,3", "4,0"], ["1.234,56", "7,8", "9,1"]],
        columns=["a", "b", "c"],
        expected={"delimiter": ";", "decimal": ","},
    ),
    Shape(
        "sentences with commas between semicolons",
        b"n;d\n1;red, green, blue\n2;one, two, three\n",
        [["1", "red, green, blue"], ["2", "one, two, three"]],
        columns=["n", "d"],
        expected={"delimiter": ";"},
    ),
    Shape(
        "our apostrophes",
        b"a,b\n'=1+1,-5\n''tis,'tis\n'-x,'@y\n",
        [["=1+1", "-5"], ["'tis", "'tis"], ["-x", "@y"]],
        [2, 3, 4],
        ["a", "b"],
    ),
    Shape(
        "words that pandas would take for nothing",
        b"a,b\nNA,null\nNone,NaN\n",
        [["NA", "null"], ["None", "NaN"]],
        columns=["a", "b"],
    ),
]


def read_all(table: Table, size: int = 5000, start_line: int = 0) -> tuple[list[list[str]], list[int]]:
    rows: list[list[str]] = []
    lines: list[int] = []
    for chunk in table.chunks(size, start_line):
        assert chunk.frame.index.name == "line"
        assert list(chunk.frame.columns) == table.columns
        assert {str(dtype) for dtype in chunk.frame.dtypes} <= {"str"}
        assert not chunk.problems
        rows += chunk.frame.to_numpy().tolist()
        lines += chunk.frame.index.tolist()
    return rows, lines


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_shape(shape: Shape) -> None:
    table = read_table(io.BytesIO(shape.data))
    assert table.columns == shape.columns
    assert read_all(table) == (shape.rows, shape.lines)
    assert {name: getattr(table.dialect, name) for name in shape.expected} == shape.expected
    texts = [notice["message"] % notice["params"] for notice in table.dialect.notices]
    for part in shape.notices:
        assert any(part in text for text in texts), texts
    assert table.sample == [
        (line, dict(zip(table.columns, row, strict=True)))
        for line, row in zip(shape.lines, shape.rows, strict=True)
    ]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_stored_dialect_reads_the_same_without_detecting(
    shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect = read_table(io.BytesIO(shape.data)).dialect
    stored = Dialect.from_json(dialect.to_json())
    assert stored == dialect
    monkeypatch.setattr("webapp.pipeline.read._inspect", None)
    table = read_table(io.BytesIO(shape.data), dialect=stored)
    assert read_all(table, size=1) == (shape.rows, shape.lines)
    assert [line for line, _ in table.sample] == shape.lines


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_resuming_after_each_line(shape: Shape) -> None:
    table = read_table(io.BytesIO(shape.data))
    for start in range(max(shape.lines, default=0) + 2):
        kept = [(row, line) for row, line in zip(shape.rows, shape.lines, strict=True) if line > start]
        rows, lines = read_all(table, size=2, start_line=start)
        assert list(zip(rows, lines, strict=True)) == kept
