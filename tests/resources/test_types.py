"""The types of fields: what they take, what they refuse in which words, and that both ways agree."""

import string
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.resources.types import (
    Choice,
    DateTime,
    Email,
    FieldType,
    Integer,
    Money,
    Problem,
    Reference,
    Style,
    Text,
    clean_text,
    fold_key,
    fold_keys,
    fold_search,
)

BRAZIL = Style(decimal=",", date_order="dmy", timezone=ZoneInfo("America/Sao_Paulo"))
US = Style(date_order="mdy")
TRIMMED = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=200).map(
    clean_text
)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
VALUES: list[tuple[FieldType, st.SearchStrategy[Any]]] = [
    (Text(), TRIMMED.filter(bool)),
    (Email(), st.from_regex(r"\A[a-z0-9.+]{1,20}@[a-z]{1,20}\.[a-z]{2,5}\Z")),
    (Integer(), st.integers(-(2**31) + 1, 2**31 - 1)),
    (
        Money(minimum=None),
        st.decimals(Decimal("-99999999999999.9999"), Decimal("99999999999999.9999"), places=4),
    ),
    (DateTime(), MOMENTS),
    (Choice(options=("sale", "adjustment")), st.sampled_from(["sale", "adjustment"])),
    (Reference(resource="brands"), TRIMMED.filter(bool)),
]


@pytest.mark.parametrize("style", [Style(), BRAZIL, US], ids=["plain", "brazil", "us"])
@pytest.mark.parametrize(("kind", "values"), VALUES, ids=lambda item: type(item).__name__)
@given(data=st.data())
def test_what_is_written_is_read_back_the_same(
    kind: FieldType, values: st.SearchStrategy[Any], style: Style, data: st.DataObject
) -> None:
    value = data.draw(values)
    assert kind.parse(kind.format(value, style), style) == value


@given(st.text(string.printable.replace("%", "") + "áÉß½\u00a0\u202f\u0130٣", min_size=1, max_size=30))
@pytest.mark.parametrize("kind", [kind for kind, _ in VALUES], ids=lambda kind: type(kind).__name__)
def test_anything_is_taken_or_refused_in_a_sentence(kind: FieldType, text: str) -> None:
    try:
        kind.parse(text.strip())
    except Problem as problem:
        sentence = str(problem)
    else:
        return
    assert sentence.endswith(".")
    assert "%(" not in sentence


@pytest.mark.parametrize(
    ("kind", "text", "style", "value"),
    [
        (Integer(), "1,234", Style(), 1234),
        (Integer(), "1.234", BRAZIL, 1234),
        (Integer(), "12.0", Style(), 12),
        (Integer(), "-7", Style(), -7),
        (Integer(), "1 234 567", Style(), 1234567),
        (Money(), "1,234.56", Style(), Decimal("1234.56")),
        (Money(), "1.234,56", BRAZIL, Decimal("1234.56")),
        (Money(), "R$ 1.234,56", BRAZIL, Decimal("1234.56")),
        (Money(), "$0.0001", Style(), Decimal("0.0001")),
        (Money(), "-0", Style(), Decimal(0)),
        (Money(), "7891234567890.5", Style(), Decimal("7891234567890.5")),
        (DateTime(), "2026-01-31", Style(), datetime(2026, 1, 31, tzinfo=UTC)),
        (DateTime(), "2026-01-31T14:30:05.5Z", Style(), datetime(2026, 1, 31, 14, 30, 5, 500000, UTC)),
        (DateTime(), "2026-01-31 14:30 -03:00", Style(), datetime(2026, 1, 31, 17, 30, tzinfo=UTC)),
        (DateTime(), "31/01/2026 14:30", BRAZIL, datetime(2026, 1, 31, 17, 30, tzinfo=UTC)),
        (DateTime(), "12/1/10 8:26", US, datetime(2010, 12, 1, 8, 26, tzinfo=UTC)),
        (DateTime(), "1/2/1999 1:05 PM", US, datetime(1999, 1, 2, 13, 5, tzinfo=UTC)),
        (Choice(options=("sale",)), "SALE", Style(), "sale"),
        (Text(), "  Cafe\u0301 ", Style(), "Café"),
    ],
)
def test_people_write_the_same_in_many_ways(kind: FieldType, text: str, style: Style, value: Any) -> None:
    assert kind.parse(text, style) == value


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        (Text(5), "too long", "The text has 8 characters; at most 5 are allowed. Shorten it."),
        (Text(), "a\x00b", "The text holds a NUL character. Remove it."),
        (Email(), "nobody", "“nobody” is not an e-mail address. Write it as name@example.com."),
        (Email(), "a b@c.de", "“a b@c.de” is not an e-mail address. Write it as name@example.com."),
        (Integer(), "many", "“many” is not a number. Write it with digits, such as 1234.56."),
        (Integer(), "1.5", "“1.5” is not a whole number. Write it without decimals."),
        (Integer(minimum=1), "0", "0 is less than 1."),
        (Integer(), str(2**53 + 1), "“9007199254740993” is too large a number."),
        (
            Integer(),
            "1E+05",
            "“1E+05” is a number that a spreadsheet has shortened; its digits are lost. Format the column as text in the spreadsheet and export it again.",
        ),
        (Money(), "1.23456", "“1.23456” has more than four decimals. Round it."),
        (Money(), "-1", "-1 is less than 0."),
        (Money(), "9" * 16, f"“{'9' * 16}” is too large an amount."),
        (Money(), "NaN", "“NaN” is not a number. Write it with digits, such as 1234.56."),
        (Money(), "€ cheap", "“€ cheap” is not a number. Write it with digits, such as 1234.56."),
        (
            DateTime(),
            "2026-02-30",
            "“2026-02-30” is not a date that exists. Write it as 2026-01-31 or 2026-01-31 14:30.",
        ),
        (DateTime(), "soon", "“soon” is not a date that exists. Write it as 2026-01-31 or 2026-01-31 14:30."),
        (Choice(options=("a", "b")), "c", "“c” is not one of the choices. Use one of: a, b."),
    ],
)
def test_what_cannot_be_taken_is_said_with_what_to_do(kind: FieldType, text: str, sentence: str) -> None:
    with pytest.raises(Problem) as refused:
        kind.parse(text)
    assert str(refused.value) == sentence


def test_a_comma_house_refuses_a_decimal_point() -> None:
    with pytest.raises(Problem, match="Decimals are written with a comma here"):
        Money().parse("12.34", BRAZIL)


def test_amounts_show_cents_and_more_only_where_there_is_more() -> None:
    amounts = [Decimal(1), Decimal("1.5"), Decimal("1.2340"), Decimal("0.0001"), Decimal("1234567.8")]
    assert [Money().format(amount) for amount in amounts] == ["1.00", "1.50", "1.234", "0.0001", "1234567.80"]


def test_a_moment_is_written_in_the_houses_zone_with_its_offset() -> None:
    moment = datetime(2026, 1, 31, 14, 30, tzinfo=timezone(timedelta(hours=5)))
    assert DateTime().format(moment) == "2026-01-31 09:30:00Z"
    assert DateTime().format(moment, BRAZIL) == "2026-01-31 06:30:00-03:00"


@given(TRIMMED)
def test_a_key_is_the_same_however_it_is_typed(text: str) -> None:
    assert fold_key(f" {text} ") == fold_key(text) == fold_key(fold_key(text))


@pytest.mark.parametrize(("typed", "stored"), [("cafe", "Café"), ("STRASSE", "Straße"), ("résumé", "Resume")])
def test_search_minds_neither_accents_nor_case(typed: str, stored: str) -> None:
    assert fold_search(typed) == fold_search(stored)


TEXTS = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.text("a\u0301 \u1100\u1161\u00a0\n\x00é", max_size=5),
        st.text("x", min_size=254, max_size=257),
    ),
    min_size=1,
    max_size=6,
)


@given(TEXTS)
@pytest.mark.parametrize(
    "kind", [Text(), Text(max_length=10_000, multiline=True), Reference(resource="brands")]
)
def test_texts_that_are_taken_as_they_are_are_those_that_parsing_returns(
    kind: FieldType, texts: list[str]
) -> None:
    if kind.takes_as_they_are("\n".join(texts), max(map(len, texts))):
        assert [kind.parse(text) for text in texts] == [text.strip() for text in texts]


@pytest.mark.parametrize("kind", [Email(), Integer(), Money(), DateTime(), Choice(options=("a",))])
def test_what_is_no_mere_text_is_parsed_one_by_one(kind: FieldType) -> None:
    assert not kind.takes_as_they_are("a", 1)


@pytest.mark.parametrize("bad", ["x" * 256, "a\x00", "a\u0301"])
def test_one_text_that_is_not_its_own_value_has_all_looked_at(bad: str) -> None:
    assert Text().takes_as_they_are("Café\nß", 4)
    assert not Text().takes_as_they_are(f"Café\n{bad}", max(4, len(bad)))


@given(st.lists(st.text(max_size=5), max_size=5))
def test_many_twins_are_those_of_each(texts: list[str]) -> None:
    assert fold_keys(texts) == [fold_key(text) for text in texts]
