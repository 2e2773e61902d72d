"""The names of downloads: readable, short, and safe wherever they are saved."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.support.houses import MakeApp
from webapp.models import TaskNotification
from webapp.services.export_names import LONGEST, LONGEST_BYTES, download_name

LATE = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def name(file_format: str = "csv", **params: Any) -> str:
    """Name a finished export of products."""
    job = TaskNotification(model_name="products", file_format=file_format, params=params, completed_at=LATE)
    return download_name(job)


def test_a_name_says_what_of_which_day_and_how_it_was_narrowed(session: Session) -> None:
    assert name() == "products-2026-11-23.csv"
    filters = {"q": "café au lait", "category": "Hot drinks", "low_stock": "1"}
    assert (
        name(filters=filters) == "products-2026-11-23-search-café-au-lait-category-hot-drinks-low_stock.csv"
    )


def test_the_day_is_that_of_the_house(make_app: MakeApp) -> None:
    with make_app(APP_TIMEZONE="America/Sao_Paulo").app_context():
        assert name() == "products-2026-11-22.csv"


def test_a_compressed_file_says_so(session: Session) -> None:
    assert name("json", options={"gzip": True}) == "products-2026-11-23.json.gz"


@pytest.mark.parametrize(
    "text",
    [
        "../../etc/passwd",
        'a"b\r\nSet-Cookie: x=1',
        "a/b\\c:d*e?f<g>h|i",
        "\u202egpj.exe",
        "\x00\x7f",
        "日本" * 200,
        "x" * 5000,
        "😀" * 100,
        "é" * 300,
        " . ",
        "%2e%2e%2f",
        "\ud800",
    ],
)
def test_whatever_the_filters_hold_the_name_is_safe_and_short(session: Session, text: str) -> None:
    made = name(filters={"q": text, "category": text, "title": text, "brand": text, "product_model": text})
    stem, dot, ending = made.rpartition(".")
    assert (dot, ending) == (".", "csv")
    assert stem.startswith("products-2026-11-23")
    assert all(letter.isalnum() or letter in "-_" for letter in stem)
    assert (len(stem) <= LONGEST, len(stem.encode()) <= LONGEST_BYTES) == (True, True)
