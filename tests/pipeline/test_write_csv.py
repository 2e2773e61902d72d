import csv
import gzip
import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.write_samples import (
    COLUMNS,
    EMPTY_ROW,
    NAUGHTY,
    NAUGHTY_ROWS,
    PLAIN_ROWS,
    TEXTS,
    export,
    replace_surrogates,
)
from webapp.pipeline.formats import Column
from webapp.pipeline.formula import neutralise_formula, restore_formula_text
from webapp.pipeline.write_text import REMEMBERED, _remember_amounts, format_money
from webapp.resources.types import PLAIN, Money, Style, Text

NAMES = [column.name for column in COLUMNS]


def read(data: bytes, **dialect: Any) -> list[list[str]]:
    csv.field_size_limit(1 << 20)  # the reader under test sets the process's limit to its own
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True, **dialect))


def test_every_naughty_text_comes_back() -> None:
    data, result = export("csv", NAUGHTY_ROWS)
    header, *lines = read(data)
    assert header == NAMES
    assert result.rows == len(lines) == len(NAUGHTY)
    for line, text in zip(lines, NAUGHTY, strict=True):
        assert {restore_formula_text(line[index]) for index in TEXTS} == {replace_surrogates(text)}


def test_no_cell_begins_like_a_formula() -> None:
    data, _ = export("csv", NAUGHTY_ROWS)
    for line in read(data)[1:]:
        for cell in line:
            assert not cell.startswith(("=", "@", "\t", "\r", "+5", "-2+"))


def test_a_lone_surrogate_is_replaced_and_counted() -> None:
    _, result = export("csv", NAUGHTY_ROWS)
    assert [str(note) for note in result.notes] == [
        f"Invalid characters, replaced by “\ufffd”: {len(TEXTS)}."
    ]


def test_pandas_reads_the_same_cells() -> None:
    data, _ = export("csv", PLAIN_ROWS)
    frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
    assert list(frame.columns) == NAMES
    assert len(frame) == len(PLAIN_ROWS)
    assert frame.iloc[3].tolist()[:3] == ["SN-00003", "Product 3", "Plain text"]


def test_bytes_are_those_of_pandas() -> None:
    rows = [row for row in (*NAUGHTY_ROWS, *PLAIN_ROWS) if "\ud800" not in str(row[0])]
    data, _ = export("csv", rows)
    cells = [
        [
            neutralise_formula(value or "") if index in TEXTS else column.type.format(value)
            for index, (column, value) in enumerate(zip(COLUMNS, row, strict=True))
        ]
        for row in rows
    ]
    expected = pd.DataFrame(cells, columns=NAMES).to_csv(index=False, lineterminator="\r\n")
    assert data.decode() == expected


def test_a_table_without_rows_is_a_header() -> None:
    data, result = export("csv", [])
    assert data.decode() == ",".join(NAMES) + "\r\n"
    assert result.rows == 0


def test_missing_values_are_empty_and_a_lone_empty_cell_is_still_a_row() -> None:
    assert read(export("csv", [EMPTY_ROW])[0])[1] == [""] * len(COLUMNS)
    data, _ = export("csv", [(None,), ("a",)], columns=COLUMNS[:1])
    assert data == b'serial_number\r\n""\r\na\r\n'


@pytest.mark.parametrize(("name", "char"), [("comma", ","), ("semicolon", ";"), ("tab", "\t")])
def test_delimiters(name: str, char: str) -> None:
    data, _ = export("csv", NAUGHTY_ROWS, {"delimiter": name})
    lines = read(data, delimiter=char)
    assert {len(line) for line in lines} == {len(COLUMNS)}
    assert restore_formula_text(lines[1][0]) == NAUGHTY[0]


def test_excel_brazil_has_semicolons_commas_and_a_bom() -> None:
    column = Column("price", "Price", Money())
    data, _ = export("csv", [(Decimal("1234.5600"), "a;b")], {"preset": "excel_brazil"}, (column, COLUMNS[0]))
    assert data == b'\xef\xbb\xbfprice;serial_number\r\n1234,56;"a;b"\r\n'


def test_moments_are_in_the_zone_of_the_reader_with_their_offset() -> None:
    row = [(datetime(2026, 1, 31, 14, 30, tzinfo=UTC),)]
    assert b"2026-01-31 14:30:00Z" in export("csv", row, columns=COLUMNS[8:])[0]
    local = export("csv", row, columns=COLUMNS[8:], timezone="America/Sao_Paulo")[0]
    assert b"2026-01-31 11:30:00-03:00" in local


def test_gzip_holds_the_same_text_and_the_same_bytes_each_time() -> None:
    plain, _ = export("csv", PLAIN_ROWS)
    packed, _ = export("csv", PLAIN_ROWS, {"gzip": "on"})
    assert gzip.decompress(packed) == plain
    assert packed == export("csv", PLAIN_ROWS, {"gzip": True})[0]
    assert packed[4:8] == b"\0\0\0\0"


@given(
    st.lists(
        st.tuples(
            st.decimals(min_value=-(10**14), max_value=10**14, places=4) | st.none(),
            st.integers(-(2**53), 2**53) | st.none(),
            st.datetimes(timezones=st.just(UTC)) | st.none(),
        ),
        min_size=1,
    ),
    st.sampled_from(["point", "comma"]),
)
def test_columns_are_formatted_as_the_types_do(rows: list[tuple[Any, ...]], decimal: str) -> None:
    style = Style(decimal="," if decimal == "comma" else ".")
    lines = read(export("csv", rows, {"decimal": decimal}, COLUMNS[6:])[0])[1:]
    assert lines == [
        [column.type.format(value, style) for column, value in zip(COLUMNS[6:], row, strict=True)]
        for row in rows
    ]


AMOUNTS = st.decimals(min_value=-(10**14), max_value=10**14, places=4)
SPELLINGS: tuple[Callable[[Decimal], Any], ...] = (
    lambda amount: int(amount.scaleb(4)),  # as SQLite keeps it
    lambda amount: f"{amount:.4f}",  # as PostgreSQL writes it
    lambda amount: amount,
)


@given(st.lists(st.tuples(AMOUNTS, st.sampled_from(SPELLINGS)), min_size=1), st.booleans())
def test_an_amount_is_the_same_however_it_comes(
    amounts: list[tuple[Decimal, Callable[[Decimal], Any]]],
    mixed: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    amounts = [(amount + 0, spell if mixed else amounts[0][1]) for amount, spell in amounts]
    values = [None, *(spell(amount) for amount, spell in amounts)]
    expected = ["", *(Money().format(amount, PLAIN) for amount, _ in amounts)]
    assert format_money(values, PLAIN) == expected


def test_what_is_remembered_of_amounts_stays_small() -> None:
    values = list(range(3 * REMEMBERED))
    assert format_money(values, PLAIN) == [Money().format(Decimal(value).scaleb(-4)) for value in values]
    assert len(_remember_amounts(int, ".")) <= REMEMBERED + 1


@given(st.lists(st.text(), min_size=1))
def test_any_text_comes_back(texts: list[str]) -> None:
    data, _ = export("csv", [(text,) for text in texts], columns=(Column("text", "Text", Text()),))
    assert [restore_formula_text(line[0]) for line in read(data)[1:]] == texts
