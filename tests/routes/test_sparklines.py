"""Small drawings of rows of numbers."""

import re

import pytest

from webapp.routes.sparklines import HEIGHT, WIDTH, draw_sparkline


def places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([-\d.]+) ([-\d.]+)", path)]


def test_the_largest_is_at_the_top_and_zero_at_the_bottom() -> None:
    drawn = draw_sparkline(["0.00", "5.00", "10.00"])
    assert drawn is not None
    assert places(drawn.line) == [(0, HEIGHT - 2), (WIDTH / 2, HEIGHT / 2)]
    assert places(drawn.last) == [(WIDTH / 2, HEIGHT / 2), (WIDTH, 2)]
    assert places(drawn.area)[-2:] == [(WIDTH, HEIGHT), (0, HEIGHT)]


@pytest.mark.parametrize("values", [[-5, 5], [-5, -1], [3, 3], [1e12, 0.01], [-1e-9, 0]])
def test_nothing_leaves_the_box(values: list[float]) -> None:
    drawn = draw_sparkline(values)
    assert drawn is not None
    for x, y in places(drawn.area):
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT


@pytest.mark.parametrize("values", [[], [5], [0, 0, 0], ["0.00", "0.00"]])
def test_what_has_no_course_is_not_drawn(values: list[float]) -> None:
    assert draw_sparkline(values) is None
