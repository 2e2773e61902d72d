"""From a file's text to values: a column at a time, every problem in its row."""

import gc
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from webapp.pipeline.check import CheckedRow, Checker, ColumnRule, check_rows
from webapp.pipeline.garbage import rare_collections
from webapp.pipeline.read import read_table
from webapp.resources.base import Field, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import Style

OUTFLOWS = get_resource("outflows")


def fields_of(resource: Resource, *names: str) -> list[Field]:
    return [resource.get_field(name) for name in names]


def check(data: str, rules: dict[str, ColumnRule], **styles: Style) -> list[CheckedRow]:
    table = read_table(io.BytesIO(data.encode()))
    checker = Checker(OUTFLOWS.fields, rules, styles)
    return [row for chunk in table.chunks(3) for row in checker.check_chunk(chunk)]


RULES = {name: ColumnRule(name) for name in ("reference", "product", "quantity", "unit_price", "occurred_at")}


def test_cells_become_values_in_the_styles_of_their_columns() -> None:
    data = "reference;product;quantity;unit_price;occurred_at\nS-1; A ;1.200;2,50;31/01/2026 14:30\n"
    comma = Style(decimal=",", date_order="dmy")
    (row,) = check(data, RULES, quantity=comma, unit_price=comma, occurred_at=comma)
    assert (row.line, row.problems) == (2, [])
    assert row.values == {
        "reference": "S-1",
        "product": "A",
        "quantity": 1200,
        "unit_price": Decimal("2.50"),
        "occurred_at": datetime(2026, 1, 31, 14, 30, tzinfo=UTC),
    }


def test_empty_cells_have_no_value_and_bad_ones_a_problem_each() -> None:
    data = "reference,product,quantity,unit_price,occurred_at\n,A,x,cheap,\nS-2,B,1,,never\n"
    first, second = check(data, RULES)
    assert first.values == {"product": "A"}
    assert [(item.column, item.value) for item in first.problems] == [
        ("quantity", "x"),
        ("unit_price", "cheap"),
    ]
    assert second.values == {"reference": "S-2", "product": "B", "quantity": 1}
    assert [item.column for item in second.problems] == ["occurred_at"]


def test_a_problem_that_comes_again_keeps_no_frame_of_the_first_time() -> None:
    data = "reference,product,quantity,unit_price,occurred_at\n" + "S,A,x,,\n" * 7
    rows = check(data, RULES)
    problems = {id(row.problems[0].problem): row.problems[0].problem for row in rows}
    assert len(rows) == 7
    assert [problem.__traceback__ for problem in problems.values()] == [None]


def test_defaults_and_replaced_words() -> None:
    rules = {
        "product": ColumnRule("sku", values={"old": "new"}),
        "quantity": ColumnRule("n", default="1"),
        "kind": ColumnRule(None, default="sale"),
    }
    rows = check("sku,n\nold,\nother,5\n", rules)
    assert [row.values for row in rows] == [
        {"product": "new", "quantity": 1, "kind": "sale"},
        {"product": "other", "quantity": 5, "kind": "sale"},
    ]


def test_a_shortened_number_is_refused_everywhere_but_in_a_long_text() -> None:
    names = ("reference", "product", "quantity", "unit_price", "reason", "description")
    rules = {name: ColumnRule(name) for name in names}
    data = ";".join(names) + "\n" + ";".join(["7,89123E+12"] * len(names)) + "\nS-1;A;1;2;why;more\n"
    bad, good = check(data, rules)
    assert bad.values == {"description": "7,89123E+12"}
    assert [item.column for item in bad.problems] == list(names[:-1])
    assert {str(item.problem).split(";")[1].strip() for item in bad.problems} == {
        "its digits are lost. Format the column as text in the spreadsheet and export it again."
    }
    assert good.problems == []


def test_a_column_of_plain_texts_and_one_with_a_special_text_are_read_alike() -> None:
    """Three rows come at once: the first three hold nothing special, the others something each."""
    long, composed = "x" * 256, "Cafe\u0301"
    texts = ["A", "", " B ", "C", long, "D", composed, "", "E", "7,89123E+12", "+", "F"]
    rows = check(
        "reference,n\n" + "".join(f"{text!r},1\n".replace("'", '"') for text in texts), RULES_OF_TEXT
    )
    values = [row.values.get("reference") for row in rows]
    assert values == ["A", None, "B", "C", None, "D", "Café", None, "E", None, "+", "F"]
    assert [row.line for row in rows if row.problems] == [6, 11]


RULES_OF_TEXT = {"reference": ColumnRule("reference"), "quantity": ColumnRule("n")}


def test_what_is_wrong_with_a_row_as_such_comes_first() -> None:
    rows = check("reference,product,quantity,unit_price\nS-1,A,1,2\nS-2,B,x,2,left,over\nS-3,C,1,2\n", RULES)
    assert [len(row.problems) for row in rows] == [0, 2, 0]
    assert rows[1].problems[0].column == ""
    assert "left over" in str(rows[1].problems[0].problem)
    assert rows[1].problems[1].column == "quantity"


def test_a_row_keeps_all_its_texts_mapped_or_not() -> None:
    (row,) = check("sku,colour,n\nA,red,5\n", {"product": ColumnRule("sku"), "quantity": ColumnRule("n")})
    assert dict(row.raw) == {"sku": "A", "colour": "red", "n": "5"}
    assert (row.raw == {"sku": "A", "colour": "red", "n": "5"}, len(row.raw)) == (True, 3)
    assert row.columns == {"product": "sku", "quantity": "n"}


CELLS = st.fixed_dictionaries(
    {
        "reference": st.sampled_from(["", "S-1", " S-2 "]),
        "product": st.text(max_size=5),
        "quantity": st.sampled_from(["", "1", "0", "-3", "1.5", "x", "12"]),
        "unit_price": st.sampled_from(["", "1", "2.50", "$3", "cheap", "-1"]),
    }
)


@hypothesis_settings(max_examples=50, deadline=None, derandomize=True)
@given(rows=st.lists(CELLS, max_size=12))
def test_a_column_at_a_time_says_what_row_by_row_does(rows: list[dict[str, str]]) -> None:
    """The straight way: every cell parsed by itself, nothing remembered."""
    fields = fields_of(OUTFLOWS, "reference", "product", "quantity", "unit_price")
    made = check_rows(list(enumerate(rows, 2)), fields, {item.name: RULES[item.name] for item in fields}, {})
    for row, raw in zip(made, rows, strict=True):
        expected: dict[str, Any] = {}
        wrong: list[str] = []
        for item in fields:
            text = raw[item.name].strip()
            try:
                if text:
                    expected[item.name] = item.type.parse(text)
            except Exception:  # noqa: BLE001 - whatever a cell by itself would raise
                wrong.append(item.name)
        assert row.values == expected
        assert [item.column for item in row.problems] == wrong


def test_the_collector_is_left_as_it_was() -> None:
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold()[0] > before[0]
        assert gc.isenabled()
    assert gc.get_threshold() == before
