"""Searching records: every word in ``search_text``, through an index of three letters, the best ones first.

A word of three letters or more may stand anywhere, a shorter one begins a word of the record: that is what both
indexes can answer. They are asked for parts of the words, and what they find is compared with all of them. On
PostgreSQL the index serves LIKE (``pg_trgm``) on a marked text; SQLite is asked for pieces of three letters (FTS5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    TableClause,
    case,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
)

from webapp.extensions import db
from webapp.resources.base import Resource
from webapp.resources.types import fold_key, fold_search
from webapp.services.bulk import is_among
from webapp.services.record_counts import as_list, read_list
from webapp.services.search_pieces import INDEXED, SHORT, advise, begin_word
from webapp.services.unindexed import unindexed

BEST = 1_000  # so many matches are shown, ranked
LOOKED_AT = 10_000  # and so many are compared to find them, beside the one whose key was typed
MANY = 0.1  # of the records
WORDS, LETTERS = 10, 60
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
    parts = advise(resource.model, words).parts
    if db.engine.dialect.name != "sqlite":
        return _has_parts(resource, parts, words)
    index = _find_index(resource)
    there = select(index.c.rowid).where(_has_pieces(index, parts))
    return [resource.model.id.in_(there), *_has_words(resource, words)]


def _has_parts(resource: Resource, parts: Sequence[str], words: list[str]) -> list[ColumnElement[bool]]:
    """Return the conditions that PostgreSQL's index answers, and those about words that are not among them.

    Only this form of the text has an index (migration 0020), in which a capital letter marks where words begin.
    The text as it is has none: what is only compared is not looked up.
    """
    after_space = literal_column("' '").concat(resource.model.search_text)
    marked = func.replace(after_space, literal_column("' '"), literal_column("' Q'"))
    found = [marked.contains(_mark(part), autoescape=True) for part in parts]
    return found + _has_words(resource, [word for word in words if begin_word(word) not in parts])


def _mark(part: str) -> str:
    """Return a part as the marked text has it. The space is left out where three letters are enough without it."""
    return part.replace(" ", "Q" if INDEXED.fullmatch(part) else " Q")


def _find_index(resource: Resource) -> TableClause:
    name = f"{resource.model.__tablename__}_search"
    return table(name, column("rowid"), column(name, String))


def _has_pieces(index: TableClause, parts: Sequence[str]) -> ColumnElement[bool]:
    pieces = dict.fromkeys(piece for part in parts for piece in _cut(part))
    asked = " AND ".join('"' + piece.replace('"', '""') + '"' for piece in pieces)
    found: ColumnElement[bool] = index.c[index.name].op("MATCH")(asked)
    return found


def _cut(part: str) -> list[str]:
    """Return the pieces that cover a part: one more for each letter would find little else, and take longer.

    A letter alone has its space before it, and another one: words stand two spaces apart there (migration 0008).
    """
    part = part.rjust(SHORT)
    return [*(part[place : place + SHORT] for place in range(0, len(part) - SHORT, SHORT)), part[-SHORT:]]


def _has_words(resource: Resource, words: list[str]) -> list[ColumnElement[bool]]:
    return [_has_word(resource, word) for word in words]


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
    after_space = literal_column("' '").concat(searched)
    place = case(
        (key == fold_key(text), 0),
        (searched.startswith(" ".join(words), autoescape=True), 1),
        (after_space.contains(f" {words[0]}", autoescape=True), 2),
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
    words = split_words(text)
    compared = _has_words(resource, words)
    some = select(model.id.label("id"), points)
    if few is not None:
        found = some.where(*compared, is_among(model.id, few)).cte("found")
    else:
        key, typed = getattr(model, f"{resource.reference_field}_key"), fold_key(text)
        it = some.where(*compared, *conditions, key == typed).limit(BEST).subquery()
        many = _search_all(resource, words, some.where(key != typed), conditions).limit(LOOKED_AT + 1)
        found = select(many.subquery()).union_all(select(it)).cte("found")
    best = select(found.c.id).order_by(found.c.points, found.c.id).limit(BEST).subquery()
    number = select(func.count()).select_from(found).scalar_subquery()
    ids, count = db.session.execute(select(as_list(best.c.id), number)).one()
    return BestMatches(read_list(ids), min(count, LOOKED_AT), count <= LOOKED_AT)


def _search_all(
    resource: Resource, words: list[str], some: Select[Any], conditions: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    """Return those of some records that have all words, beginning at the index.

    SQLite does by a join, so that it ends with enough of them (measured: 1 ms for 1,400). PostgreSQL's index lists
    all matches first: where many records are, they are found sooner without it.
    """
    advice = advise(resource.model, words)
    compared, some = _has_words(resource, words), some.where(*conditions)
    if db.engine.dialect.name == "sqlite":
        index = _find_index(resource)
        there = some.join(index, unindexed(index.c.rowid) == resource.model.id)
        return there.where(_has_pieces(index, advice.parts), *compared)
    if advice.share >= MANY and not conditions:
        return some.where(*compared)
    return some.where(*_has_parts(resource, advice.parts, words))
