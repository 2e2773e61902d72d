"""How values look on a page: as Babel formats them, though not by asking it for each of hundreds."""

from decimal import Decimal

import flask_babel
import pytest
from flask import Flask

from webapp import filters
from webapp.extensions import settings

AMOUNTS = [
    "0",
    "0.5",
    "4.90",
    "4.9000",
    "1234.5",
    "-1234.5678",
    "9999.995",
    "10000",
    "1234567.12345",
    "99999999999999.9999",
]
NUMBERS = [0, 7, 999, 1_000, 9_999, 10_000, 1_234_567, -5, -12_345, Decimal("1234.50"), Decimal(-3)]


@pytest.mark.parametrize("language", ["en", "pt_BR"])
def test_amounts_look_as_babel_writes_them(app: Flask, language: str) -> None:
    with app.app_context(), flask_babel.force_locale(language):
        pattern = flask_babel.get_locale().currency_formats["standard"].pattern
        for text in AMOUNTS:
            amount = Decimal(text)
            for digits, shown in (
                ("0.00##", filters.format_money(amount)),
                ("0.00", filters.format_money(amount, 2)),
            ):
                expected = flask_babel.format_currency(
                    amount, settings().currency, format=pattern.replace("0.00", digits), currency_digits=False
                )
                assert shown == expected
        assert filters.format_short_money(Decimal("12345.67")) == filters.format_money(Decimal(12346), 2)[:-3]
        assert filters.format_money(None) == filters.EMPTY


@pytest.mark.parametrize("language", ["en", "pt_BR"])
def test_numbers_look_as_babel_writes_them(app: Flask, language: str) -> None:
    with app.app_context(), flask_babel.force_locale(language):
        for number in NUMBERS:
            assert filters.format_number(number) == flask_babel.format_decimal(number)
        assert filters.format_number(None) == filters.EMPTY
