"""Searching records: every word in ``search_text``, through an index of three letters, the best ones first.

A word of three letters or more may stand anywhere, a shorter one begins a word of the record: that is what
both indexes can answer. On PostgreSQL the index serves LIKE (``pg_trgm``); SQLite is asked for the three-letter
pieces of the words (FTS5), and what it finds is compared again, because the pieces may stand apart.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, String, case, column, func, or_, select, table

from webapp.extensions import db
from webapp.resources.base import Resource
from webapp.resources.types import fold_key, fold_search

BEST = 1_000  # so many matches are shown, ranked
LOOKED_AT = 10_000  # and so many are compared to find them, beside the one whose key was typed
WORDS, LETTERS = 10, 60
SHORT = 3
LENGTHS = 1_000_000  # texts of one rank: the shortest first


def split_words(text: str) -> list[str]:
    """Return the words that are searched for, as the index has them."""
    without_nul = text.replace("\x00", " ")  # no text holds it, and no query may
    return [word[:LETTERS] for word in fold_search(without_nul).split()[:WORDS]]


def where_search(resource: Resource, text: str) -> list[ColumnElement[bool]]:
    """Return the conditions that every word is in the record's search text; accents and case do not matter."""
    words = split_words(text)
    if not words:
        return []
    conditions = [_has_word(resource, word) for word in words]
    if db.engine.dialect.name == "sqlite":
        name = f"{resource.model.__tablename__}_search"
        index = table(name, column("rowid"), column(name, String))
        pieces = dict.fromkeys(piece for word in words for piece in _cut(word))
        asked = " AND ".join('"' + piece.replace('"', '""') + '"' for piece in pieces)
        found = select(index.c.rowid).where(index.c[name].op("MATCH")(asked))
        conditions.insert(0, resource.model.id.in_(found))
    return conditions


def _cut(word: str) -> list[str]:
    if len(word) < SHORT:
        return ["  " + word if len(word) == 1 else " " + word]
    return [word[place : place + SHORT] for place in range(len(word) - SHORT + 1)]


def _has_word(resource: Resource, word: str) -> ColumnElement[bool]:
    text = resource.model.search_text
    if len(word) < SHORT:
        return _begins_a_word(text, word)
    found: ColumnElement[bool] = text.contains(word, autoescape=True)
    return found


def _begins_a_word(text: Any, word: str) -> ColumnElement[bool]:
    return or_(text.startswith(word, autoescape=True), text.contains(f" {word}", autoescape=True))


def rank(resource: Resource, text: str) -> ColumnElement[int]:
    """Return a number that is smaller the better a record matches: its key, its beginning, a word's beginning."""
    words = split_words(text)
    searched = resource.model.search_text
    key = getattr(resource.model, f"{resource.reference_field}_key")
    place = case(
        (key == fold_key(text), 0),
        (searched.startswith(" ".join(words), autoescape=True), 1),
        (_begins_a_word(searched, words[0]), 2),
        else_=3,
    )
    return place * LENGTHS + func.length(searched)


def select_best(resource: Resource, text: str, conditions: list[ColumnElement[bool]]) -> Select[Any]:
    """Return the query of the ids of the best matches within all conditions (the search's among them)."""
    model = resource.model
    points = rank(resource, text).label("points")
    key = getattr(model, f"{resource.reference_field}_key")
    some = select(model.id.label("id"), points).where(*conditions).limit(LOOKED_AT).subquery()
    typed = (
        select(model.id.label("id"), points).where(*conditions, key == fold_key(text)).limit(BEST).subquery()
    )
    both = select(some).union(select(typed)).subquery()
    return select(both.c.id).order_by(both.c.points, both.c.id).limit(BEST)
