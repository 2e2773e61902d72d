"""Which pieces of the words an index is asked for."""

from collections.abc import Sequence

import pytest
from flask import Flask

from tests.support.factories import save
from webapp.models import Category
from webapp.services import search_pieces

TEXTS = [f" inv-2026-{number:06}" for number in range(0, 300_000, 1_003)]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["inv-2026-212345"], ["212345"]),
        (["inv-2025"], ["025"]),
        (["inv-2026"], ["inv-2026"]),
        (["po-2026"], ["po-"]),
        (["inv", "2026"], ["inv", "2026"]),
        (["inv", " zz"], [" zz"]),
        (["po-2026-912"], ["912"]),
        ([" i"], [" i"]),
        (["чай"], ["чай"]),
        (["a-b"], ["a-b"]),
    ],
)
def test_rare_pieces_are_asked_for_and_else_the_words(words: Sequence[str], parts: list[str]) -> None:
    assert search_pieces._choose_parts(words, TEXTS) == parts


def test_a_word_that_most_have_is_left_to_be_compared() -> None:
    texts = [f" lot {number % 20}" for number in range(300)]
    assert search_pieces._choose_parts(["lot", " 12"], texts) == [" 12"]


def test_advice_comes_from_the_records(app: Flask) -> None:
    with app.app_context():
        assert search_pieces.advise(Category, ["tea"]) == search_pieces.Advice(["tea"], 0)
        save("categories", *({"name": f"Tea {number}"} for number in range(10)))
        assert search_pieces.advise(Category, ["tea", "3"]) == search_pieces.Advice(["tea", " 3"], 0.1)
