import pytest

from webapp.pipeline.pdf_estimate import estimate_pdf


def test_an_empty_table_is_a_page_and_takes_seconds_all_the_same() -> None:
    pages, seconds = estimate_pdf(0, 9)
    assert pages == 1
    assert 1 <= seconds <= 3


def test_pages_grow_with_rows_and_seconds_with_columns_too() -> None:
    few, many = estimate_pdf(1_000, 3), estimate_pdf(100_000, 3)
    assert many[0] == pytest.approx(100 * few[0], rel=0.05)
    assert estimate_pdf(100_000, 3)[1] < estimate_pdf(100_000, 12)[1]


def test_a_hundred_thousand_products_take_minutes_not_hours() -> None:
    pages, seconds = estimate_pdf(100_000, 12)
    assert 2_000 < pages < 4_000
    assert 30 < seconds < 300
