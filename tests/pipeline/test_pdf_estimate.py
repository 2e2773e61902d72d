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
    assert 4_000 < pages < 8_000
    assert 30 < seconds < 300


@pytest.mark.parametrize(("columns", "pages"), [(3, 74), (6, 89), (10, 156)])
def test_the_estimate_is_near_what_was_measured(columns: int, pages: int) -> None:
    assert estimate_pdf(3_000, columns)[0] == pytest.approx(pages, rel=0.15)
