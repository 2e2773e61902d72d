"""Searching records: every word in ``search_text``, through an index of three letters, the best ones first.

A word of three letters or more may stand anywhere, a shorter one begins a word of the record: that is what
both indexes can answer. On PostgreSQL the index serves LIKE (``pg_trgm``); SQLite is asked for the three-letter
pieces of the words (FTS5), and what it finds is compared again, because the pieces may stand apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, String, TableClause, case, column, func, or_, select, table

from webapp.extensions import db
from webapp.resources.base import Resource
from webapp.resources.types import fold_key, fold_search
from webapp.services.bulk import is_among
from webapp.services.unindexed import unindexed

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
    conditions = [_has_word(resource, word) for word in words]
    if words and db.engine.dialect.name == "sqlite":
        index = _find_index(resource)
        conditions.insert(0, resource.model.id.in_(select(index.c.rowid).where(_has_pieces(index, words))))
    return conditions


def _find_index(resource: Resource) -> TableClause:
    name = f"{resource.model.__tablename__}_search"
    return table(name, column("rowid"), column(name, String))


def _has_pieces(index: TableClause, words: list[str]) -> ColumnElement[bool]:
    pieces = dict.fromkeys(piece for word in words for piece in _cut(word))
    asked = " AND ".join('"' + piece.replace('"', '""') + '"' for piece in pieces)
    found: ColumnElement[bool] = index.c[index.name].op("MATCH")(asked)
    return found


def _cut(word: str) -> list[str]:
    """Return the pieces that cover a word: one more for each letter would find little else, and take longer."""
    if len(word) < SHORT:
        return ["  " + word if len(word) == 1 else " " + word]
    return [*(word[place : place + SHORT] for place in range(0, len(word) - SHORT, SHORT)), word[-SHORT:]]


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


@dataclass(frozen=True)
class BestMatches:
    """The ids of the best matches, and how many match; where that is not exact, so many at least."""

    ids: Sequence[int]
    count: int
    is_count_exact: bool


def find_best(
    resource: Resource, text: str, conditions: Sequence[ColumnElement[bool]], few: Sequence[int] | None
) -> BestMatches:
    """Return the best matches of a search within other conditions, among ``few`` records if those are all."""
    model = resource.model
    points = rank(resource, text).label("points")
    words = [_has_word(resource, word) for word in split_words(text)]
    some = select(model.id.label("id"), points).where(*words)
    if few is not None:
        found = some.where(is_among(model.id, few)).subquery()
    else:
        key = getattr(model, f"{resource.reference_field}_key")
        typed = some.where(*conditions, key == fold_key(text)).limit(BEST).subquery()
        many = _search_all(resource, text, some.where(*conditions)).limit(LOOKED_AT + 1).subquery()
        found = select(many).union(select(typed)).subquery()
    best = select(found.c.id, func.count().over()).order_by(found.c.points, found.c.id).limit(BEST)
    rows = db.session.execute(best).all()
    count = rows[0][1] if rows else 0
    return BestMatches([row[0] for row in rows], min(count, LOOKED_AT), count <= LOOKED_AT)


def _search_all(resource: Resource, text: str, matches: Select[Any]) -> Select[Any]:
    """Let SQLite begin at its index, so that it ends with enough of them (measured: 1 ms for 1,400)."""
    if db.engine.dialect.name != "sqlite":
        return matches
    index = _find_index(resource)
    there = matches.join(index, unindexed(index.c.rowid) == resource.model.id)
    return there.where(_has_pieces(index, split_words(text)))
