"""Any table of texts, written in any dialect and encoding, reads back equal, with its lines."""

import csv
import io
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from webapp.pipeline.formula import neutralise_formula, restore_formula_text
from webapp.pipeline.read import Dialect, ReadProblem, read_table

# No surrogates and no NUL: neither can be written, or is a problem on purpose.
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
ASCII_CELL = st.text(st.characters(min_codepoint=1, max_codepoint=126), max_size=8)
TRICKY = st.sampled_from(
    [
        "",
        '"',
        "'",
        ",",
        ";",
        "\n",
        "\r\n",
        "\r",
        '""',
        "\\",
        '\\"',
        "'=1",
        "''",
        "-5",
        " ",
        "\t",
        "|",
        "\u2028",
        "\x0b",
        "\x1c",
        "\x85",
    ]
)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(1, 5))
    cell = st.one_of(TRICKY, CELL, ASCII_CELL)
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width), max_size=8))
    return [row for row in rows if "".join(row).strip()]


def count_lines(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def write(rows: list[list[str]], terminator: str, **form: str | int | bool | None) -> tuple[str, list[int]]:
    """Return the CSV and the line on which each row starts."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator=terminator, **form)  # type: ignore[arg-type]
    lines = []
    for row in rows:
        lines.append(count_lines(file.getvalue()) + 1)
        writer.writerow([neutralise_formula(cell) for cell in row])
    return file.getvalue(), lines


@given(
    st.one_of(
        CELL,
        TRICKY,
        st.builds(str.__add__, TRICKY, CELL),
        st.from_regex(r"['=+\-@\t\r]*[0-9.,]*", fullmatch=True),
    )
)
def test_formula_texts_are_restored_exactly(text: str) -> None:
    neutral = neutralise_formula(text)
    assert restore_formula_text(neutral) == text
    assert not neutral.startswith(("=", "@", "\t", "\r"))
    assert neutral == text or neutral == "'" + text


@pytest.mark.parametrize("text", ["-5", "+5", "-1.234,56", "-0.5", "5", "abc", ""])
def test_numbers_and_plain_texts_stay_as_they_are(text: str) -> None:
    assert neutralise_formula(text) == text


@pytest.mark.parametrize(
    "text", ["=1+1", "+A1", "-A1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "'x", "-", "-5\n"]
)
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert neutralise_formula(text) == "'" + text


@given(
    rows=tables(),
    delimiter=st.sampled_from([",", ";", "\t", "|", ":", "^"]),
    quote=st.sampled_from(['"', "'"]),
    escape=st.sampled_from(["", "\\"]),
    terminator=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(ENCODINGS),
    size=st.integers(1, 4),
)
def test_a_known_dialect_reads_back_what_was_written(
    rows: list[list[str]], delimiter: str, quote: str, escape: str, terminator: str, encoding: str, size: int
) -> None:
    width = len(rows[0]) if rows else 2
    header = [f"c{position}" for position in range(width)]
    text, lines = write(
        [header, *rows],
        terminator,
        delimiter=delimiter,
        quotechar=quote,
        escapechar=escape or None,
        doublequote=not escape,
        # Python 3.11 quotes a lone CR only where the lines end in one.
        quoting=csv.QUOTE_ALL
        if escape or any("\r" in cell or "\n" in cell for row in rows for cell in row)
        else csv.QUOTE_MINIMAL,
    )
    dialect = Dialect(
        encoding=encoding, delimiter=delimiter, quote=quote, escape=escape, columns=tuple(header)
    )
    source = io.BytesIO(text.encode(encoding))
    chunks = list(read_table(source, dialect=dialect).chunks(size))
    assert [chunk.problems for chunk in chunks] == [{}] * len(chunks)
    assert [row for chunk in chunks for row in chunk.frame.to_numpy().tolist()] == rows
    assert [line for chunk in chunks for line in chunk.frame.index] == lines[1:]
    for index, start in enumerate(lines):
        resumed = read_table(source, dialect=dialect).chunks(size, start_line=start)
        assert [line for chunk in resumed for line in chunk.frame.index] == lines[index + 1 :]


@given(
    rows=tables(), delimiter=st.sampled_from([",", ";", "\t", "|"]), encoding=st.sampled_from(ENCODINGS[:3])
)
def test_detection_reads_back_our_own_files(rows: list[list[str]], delimiter: str, encoding: str) -> None:
    """The header and the delimiter are ours, so they are found whatever the cells hold."""
    width = len(rows[0]) if rows else 2
    header = [f"column_{position}" for position in range(width)]
    text, lines = write([header, *rows], "\r\n", delimiter=delimiter, quoting=csv.QUOTE_ALL)
    source = io.BytesIO(text.encode(encoding))
    table = read_table(source, delimiter=delimiter, quote='"', escape="", header_line=1, footer_line=0)
    assert table.columns == header
    assert table.dialect.rows == len(rows)
    frames = [chunk.frame for chunk in table.chunks()]
    assert [row for frame in frames for row in frame.to_numpy().tolist()] == rows
    assert [line for frame in frames for line in frame.index] == lines[1:]
    assert Dialect.from_json(json.loads(json.dumps(table.dialect.to_json()))) == table.dialect


WORD = st.from_regex(r"[A-Za-zéü][A-Za-z0-9éü]{0,8}( [A-Za-z]{1,5})?", fullmatch=True)


@given(
    data=st.lists(st.lists(WORD, min_size=3, max_size=3), min_size=1, max_size=30),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    terminator=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from([*ENCODINGS[:3], "cp1252"]),
    preamble=st.sampled_from(["", "Stock report"]),
)
def test_everything_is_detected_in_tame_files(
    data: list[list[str]], delimiter: str, terminator: str, encoding: str, preamble: str
) -> None:
    assume(
        not any(
            "total" in cell.lower() or "sum" in cell.lower() or "soma" in cell.lower() for cell in data[-1]
        )
    )
    text, lines = write([["sku", "title", "price"], *data], terminator, delimiter=delimiter)
    if preamble:
        text, lines = preamble + terminator + text, [line + 1 for line in lines]
    table = read_table(io.BytesIO(text.encode(encoding)))
    assert (table.dialect.delimiter, table.dialect.header_line) == (delimiter, lines[0])
    frames = [chunk.frame for chunk in table.chunks()]
    assert [row for frame in frames for row in frame.to_numpy().tolist()] == data
    assert [line for frame in frames for line in frame.index] == lines[1:]


@given(rows=tables(), kind=st.sampled_from(["json", "ndjson"]), indent=st.sampled_from([None, 1]))
def test_json_reads_back_equal(rows: list[list[str]], kind: str, indent: int | None) -> None:
    assume(rows)
    records = [dict(zip("abcde", row, strict=False)) for row in rows]
    text = "\n".join(map(json.dumps, records)) if kind == "ndjson" else json.dumps(records, indent=indent)
    table = read_table(io.BytesIO(text.encode()))
    frames = [chunk.frame for chunk in table.chunks(3)]
    assert [row for frame in frames for row in frame.to_numpy().tolist()] == rows
    start = 1 if kind == "ndjson" else 2
    assert [line for frame in frames for line in frame.index] == list(range(start, start + len(rows)))


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """Whatever is uploaded ends as a table or as a problem in words, never as an exception."""
    try:
        table = read_table(io.BytesIO(data))
    except ReadProblem:
        return
    rows = sum(len(chunk.frame) for chunk in table.chunks())
    assert rows == table.dialect.rows
