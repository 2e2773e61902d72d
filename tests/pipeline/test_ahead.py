"""Items that a thread makes ahead: all of them, in order, with what goes wrong, and no thread left behind."""

import threading
from collections.abc import Iterator

import pytest

from webapp.pipeline.ahead import work_ahead


def make(made: list[int], fails_at: int = 99) -> Iterator[int]:
    for number in range(5):
        if number == fails_at:
            raise ValueError(number)
        made.append(number)
        yield number


def count_threads() -> int:
    return sum(thread.name.startswith("ahead") for thread in threading.enumerate())


def test_every_item_comes_in_order_and_the_thread_goes() -> None:
    assert list(work_ahead(make([]))) == [0, 1, 2, 3, 4]
    assert count_threads() == 0


def test_one_item_is_made_ahead_and_no_more() -> None:
    made: list[int] = []
    items = work_ahead(make(made))
    assert next(items) == 0
    assert next(items) == 1
    items.close()  # type: ignore[attr-defined]  # a generator
    assert made == [0, 1, 2]
    assert count_threads() == 0


def test_what_goes_wrong_comes_where_the_item_would() -> None:
    items = work_ahead(make([], fails_at=2))
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(ValueError, match="2"):
        next(items)
    assert count_threads() == 0
