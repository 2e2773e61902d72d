"""Decimals, dates and damage: decided over the whole file, or asked."""

import io
from typing import Any

import pytest

from webapp.pipeline.read import Dialect, is_damaged_number, read_table


def read_columns(columns: dict[str, list[str]], delimiter: str = ";", **overrides: Any) -> Dialect:
    rows = [
        delimiter.join(columns),
        *(delimiter.join(cells) for cells in zip(*columns.values(), strict=True)),
    ]
    return read_table(io.BytesIO("\n".join(rows).encode()), **overrides).dialect


def get_texts(dialect: Dialect) -> str:
    return "\n".join(notice["message"] % notice["params"] for notice in dialect.notices)


@pytest.mark.parametrize(
    ("values", "decimal"),
    [
        (["1,5", "2"], ","),
        (["1.5", "2"], "."),
        (["1.234,56"], ","),
        (["1,234.56"], "."),
        (["1.234.567"], ","),
        (["1,234,567"], "."),
        (["0.125"], "."),
        (["0,125"], ","),
        (["1234.567"], "."),
        (["1234,567"], ","),
        (["12,3456"], ","),
        (["R$ 1.234,56", "R$ 7,00"], ","),
        (["$1,234.56"], "."),
        (["€ 9,90"], ","),
        (["9,90 €"], ","),
        (["12,5%"], ","),
        (["-3.25"], "."),
        (["1 234,5"], ","),
        (["1\u00a0234,5"], ","),
        (["1.234", "1.234,5"], ","),
        (["1,234", "0.5"], "."),
        (["1", "2"], "."),
        (["2026-01-31"], "."),
        (["31.12.2026"], "."),
    ],
)
def test_decimal_sign_of_one_column(values: list[str], decimal: str) -> None:
    dialect = read_columns({"x": values, "n": ["1"] * len(values)})
    assert dialect.decimal == decimal
    assert dialect.decimals == {}
    assert "may be thousands" not in get_texts(dialect)


def test_evidence_may_come_from_the_last_row_alone() -> None:
    values = ["1.234"] * 20_000
    assert read_columns({"x": [*values, "1,5"], "n": ["1"] * 20_001}).decimal == ","
    assert read_columns({"x": [*values, "1.5"], "n": ["1"] * 20_001}).decimal == "."


@pytest.mark.parametrize(("delimiter", "decimal"), [(";", ","), ("\t", "."), ("|", ".")])
def test_ambiguous_thousands_are_told(delimiter: str, decimal: str) -> None:
    dialect = read_columns({"id": ["a", "b"], "x": ["1.234", "5.678"]}, delimiter)
    assert dialect.decimal == decimal
    assert "Column “x”: “1.234” (line 2) may be thousands or decimals" in get_texts(dialect)


def test_an_ambiguous_column_follows_the_rest_of_the_file_aloud() -> None:
    dialect = read_columns({"x": ["1.234", "5.678"], "y": ["1,5", "2,5"]})
    assert dialect.get_decimal("x") == ","
    assert "“1.234” (line 2) is read as thousands, as in the rest of the file" in get_texts(dialect)


def test_columns_may_differ() -> None:
    dialect = read_columns({"x": ["1.5", "2.5"], "y": ["1,5", "2,5"], "z": ["3,5", "4,5"]})
    assert (dialect.decimal, dialect.decimals) == (",", {"x": "."})
    assert dialect.get_style("x").decimal == "."
    assert "Column “x” writes decimals with “.”" in get_texts(dialect)


def test_texts_that_hold_numbers_are_no_evidence() -> None:
    dialect = read_columns({"x": ["1.5", "2.5", "3.5"], "text": ["1,5", "about", "this"]})
    assert (dialect.decimal, dialect.decimals) == (".", {})


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (["31/12/2026", "01/02/2026"], "dmy"),
        (["01/02/2026", "12/31/2026"], "mdy"),
        (["12/1/10 8:26", "12/13/10 9:00"], "mdy"),
        (["31.12.26", "1.2.26"], "dmy"),
        (["31-12-2026"], "dmy"),
        (["2026-12-31", "2026-01-02 10:00"], "ymd"),
        (["01/02/2026", "03/04/2026"], None),
        (["31/12/2026", "12/31/2026"], None),
        (["text", "more"], "ymd"),
    ],
)
def test_date_order_of_one_column(values: list[str], order: str | None) -> None:
    dialect = read_columns({"when": values, "n": ["1"] * len(values)})
    assert dialect.date_order == order
    assert dialect.get_date_order("when") == order
    assert ("Column “when”" in get_texts(dialect)) == (order is None)


def test_one_day_beyond_twelve_at_the_end_settles_the_column() -> None:
    values = ["01/02/2026"] * 30_000
    assert read_columns({"when": [*values, "13/02/2026"], "n": ["1"] * 30_001}).date_order == "dmy"
    assert read_columns({"when": [*values, "02/13/2026"], "n": ["1"] * 30_001}).date_order == "mdy"


def test_an_ambiguous_column_is_asked_even_beside_a_clear_one() -> None:
    dialect = read_columns({"a": ["31/12/2026"], "b": ["01/02/2026"], "c": ["12/31/2026"]})
    assert dialect.get_date_order("a") == "dmy"
    assert dialect.get_date_order("b") is None
    assert dialect.get_date_order("c") == "mdy"
    assert "nothing tells the day from the month, as in “01/02/2026” (line 2)" in get_texts(dialect)


def test_mixed_dates_name_the_lines_that_prove_it() -> None:
    dialect = read_columns({"when": ["01/02/2026", "31/12/2026", "12/31/2026"], "n": ["1"] * 3})
    assert "the day comes first on line 3 and the month on line 4" in get_texts(dialect)


def test_a_person_decides_in_place_of_the_detection() -> None:
    columns = {"a": ["31/12/2026"], "b": ["01/02/2026"], "x": ["1.234"]}
    dialect = read_columns(columns, decimal=".", date_order="mdy")
    assert (dialect.decimal, dialect.decimals) == (".", {})
    assert (dialect.date_order, dialect.date_orders) == ("mdy", {})
    by_column = read_columns(columns, date_orders={"b": "mdy"})
    assert by_column.get_date_order("b") == "mdy"
    assert by_column.get_date_order("a") == "dmy"


def test_stored_dialect_takes_a_later_decision_about_style() -> None:
    source = io.BytesIO(b"a;x\n01/02/2026;1.234\n")
    stored = read_table(source).dialect
    assert read_table(source, dialect=stored, date_order="mdy").dialect.date_order == "mdy"


@pytest.mark.parametrize("text", ["7,89123E+12", "7.89123E+12", "1E+15", "-2,5e+20"])
def test_damaged_numbers_are_counted_with_their_first_line(text: str) -> None:
    assert is_damaged_number(text)
    dialect = read_columns({"ean": ["7891234567890", text, text], "n": ["1", "2", "3"]})
    assert f"so that their digits are lost: 2 (“{text}” on line 3" in get_texts(dialect)


@pytest.mark.parametrize("text", ["12E5", "1.5", "E+5", "7891234567890", ""])
def test_codes_are_not_taken_for_damage(text: str) -> None:
    assert not is_damaged_number(text)


def test_damage_is_found_in_a_column_of_text_far_down() -> None:
    values = [f"SKU {number}" for number in range(10_000)]
    dialect = read_columns({"sku": [*values, "1,2E+15"], "n": ["1"] * 10_001})
    assert "“1,2E+15” on line 10002" in get_texts(dialect)


def test_lost_leading_zeros() -> None:
    codes = ["7891234567890"] * 9 + ["123456789012"]
    assert "may have lost leading zeros: 1." in get_texts(read_columns({"ean": codes, "n": ["1"] * 10}))
    fine = [*codes[:9], "0123456789012"]
    assert "shorter" not in get_texts(read_columns({"ean": fine, "n": ["1"] * 10}))


def test_digits_after_the_fifteenth() -> None:
    rounded = ["12345678901234500000", "98765432109876500000"]
    assert "the digits after the 15th by zeros: 2 (" in get_texts(
        read_columns({"id": rounded, "n": ["1", "2"]})
    )
    exact = [*rounded, "12345678901234567891"]
    assert "15th" not in get_texts(read_columns({"id": exact, "n": ["1", "2", "3"]}))
