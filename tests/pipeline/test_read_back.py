"""What our writers write, in every dialect they know, the reader reads back equal: detected, not told."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.pipeline.write_samples import export
from webapp.pipeline.check import Checker, ColumnRule
from webapp.pipeline.formats import Column
from webapp.pipeline.read import read_table
from webapp.resources.base import Field
from webapp.resources.types import Choice, DateTime, FieldType, Integer, Money, Reference, Text, clean_text

TYPES: dict[str, FieldType] = {
    "serial_number": Text(100),
    "title": Text(),
    "category": Reference(resource="categories"),
    "kind": Choice(options=("sale", "adjustment")),
    "cost_price": Money(),
    "quantity": Integer(),
    "occurred_at": DateTime(),
}
COLUMNS = [Column(name, name, type_) for name, type_ in TYPES.items()]
FIELDS = [Field(name, name, type_) for name, type_ in TYPES.items()]

CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
TRICKY = st.sampled_from(
    ['a "b"', "a,b;c|d\te", "x\ny", "=1+1", "'x", "-5", "+A1", "@x", "00123", "1.234,56", "\\", "NA"]
)
TEXT = st.one_of(TRICKY, CELL).map(clean_text).filter(bool)
MONEY = st.decimals(min_value=0, max_value=10**9, places=4)
MOMENT = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - given beside
    lambda moment: moment.replace(microsecond=0)
)
ROW = st.tuples(
    # as in every shop, records are told apart by something; it is also what keeps a last row from being a footer
    st.from_regex(r"[A-Z]{2}-[0-9]{3,6}", fullmatch=True),
    st.one_of(st.none(), TEXT),
    st.one_of(st.none(), TEXT),
    st.sampled_from(["sale", "adjustment", None]),
    st.one_of(st.none(), MONEY),
    st.one_of(st.none(), st.integers(-(10**6), 10**9)),
    st.one_of(st.none(), MOMENT),
)

CSV_DIALECTS: list[Mapping[str, Any]] = [
    {"delimiter": delimiter, "decimal": decimal, "bom": bom}
    for delimiter in ("comma", "semicolon", "tab")
    for decimal in ("point", "comma")
    for bom in (False, True)
]


def read_back(data: bytes) -> list[tuple[Any, ...]]:
    """Return the values of a file's rows, by what was detected and nothing else."""
    table = read_table(io.BytesIO(data))
    styles = {name: table.dialect.get_style(name) for name in table.columns}
    checker = Checker(FIELDS, {name: ColumnRule(name) for name in TYPES}, styles)
    found = []
    for chunk in table.chunks(3):
        for row in checker.check_chunk(chunk):
            assert row.problems == [], [str(item.problem) for item in row.problems]
            found.append(tuple(row.values.get(name) for name in TYPES))
    return found


def expected(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(None if value == "" else value for value in row) for row in rows]


@hypothesis_settings(max_examples=50, deadline=None, derandomize=True)
@given(options=st.sampled_from(CSV_DIALECTS), rows=st.lists(ROW, min_size=1, max_size=8))
def test_our_csv_reads_back_equal(options: Mapping[str, Any], rows: list[tuple[Any, ...]]) -> None:
    data, _ = export("csv", rows, options, COLUMNS)
    assert read_back(data) == expected(rows)


@hypothesis_settings(max_examples=40, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(["json", "ndjson"]),
    amounts=st.sampled_from(["string", "number"]),
    rows=st.lists(ROW, min_size=1, max_size=8),
)
def test_our_json_reads_back_equal(name: str, amounts: str, rows: list[tuple[Any, ...]]) -> None:
    data, _ = export(name, rows, {"numbers": amounts}, COLUMNS)
    assert read_back(data) == expected(rows)


@hypothesis_settings(max_examples=15, deadline=None, derandomize=True)
@given(rows=st.lists(ROW, min_size=1, max_size=8))
def test_our_workbooks_read_back_equal(rows: list[tuple[Any, ...]]) -> None:
    data, _ = export("xlsx", rows, {}, COLUMNS)
    assert read_back(data) == expected(rows)


def test_a_decimal_keeps_every_digit_on_its_way_out_and_in() -> None:
    row = ("AB-123", None, None, None, Decimal("99999999999999.9999"), 2**31 - 1, None)
    for name in ("csv", "json", "ndjson"):
        assert read_back(export(name, [row], {}, COLUMNS)[0]) == [row]
