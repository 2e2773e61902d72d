"""What of the searched words an index of three letters is asked for, as a sample of the records advises.

An index reads the list of every piece that it is asked for. Of "inv-2026-012345" nearly all of five million movements
have seven pieces and a few thousand have each of the last four (measured on PostgreSQL: 120 ms for all, 2 for those).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from webapp.extensions import db
from webapp.services.bulk import is_among
from webapp.services.record_counts import sample_ids

SHORT = 3
SAMPLE = 300
RARE, COMMON = 0.01, 0.5  # the share of the records that have a piece
# Two letters and what stands before or after them: of anything less PostgreSQL's index has no piece as rare as that.
INDEXED = re.compile(r"[a-z0-9]{2}[\x20-\x7e]|[\x20-\x7e][a-z0-9]{2}")


@dataclass(frozen=True)
class Advice:
    """Parts of the words that lead to what has all of them, and about which share of the records that is."""

    parts: list[str]
    share: float


def begin_word(word: str) -> str:
    """Return a word as it is looked for in a text after a space: a short one where a word begins."""
    return word if len(word) >= SHORT else f" {word}"


def advise(model: Any, words: Sequence[str]) -> Advice:
    """Return which parts of the words, most of them of three letters or more, an index is to be asked for."""
    wanted = [begin_word(word) for word in words]
    texts = _sample_texts(model)
    matches = sum(all(word in text for word in wanted) for text in texts)
    return Advice(_choose_parts(wanted, texts), matches / max(len(texts), 1))


def _choose_parts(words: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return the rare pieces, joined where they overlap; where there are none, the words that are not on most records."""
    pieces = {piece for word in words for piece in _list_pieces(word)}
    shares = {piece: sum(piece in text for text in texts) / max(len(texts), 1) for piece in pieces}
    rare = {piece for piece, share in shares.items() if share <= RARE}
    # Of a piece with a hyphen PostgreSQL reads the list of all that begins with the letter after it, too.
    rare = {piece for piece in rare if piece.isalnum()} or rare
    parts = [part for word in words for part in _join(word, rare)]
    telling = [word for word in words if any(shares[piece] <= COMMON for piece in _list_pieces(word))]
    return parts or telling or list(words)


def _list_pieces(word: str) -> Iterator[str]:
    pieces = (word[place : place + 3] for place in range(len(word) - 2))
    return filter(INDEXED.fullmatch, pieces)


def _sample_texts(model: Any) -> list[str]:
    ids, _ = sample_ids(model, SAMPLE, 1)
    found = db.session.scalars(select(model.search_text).where(is_among(model.id, ids)))
    return [f" {text}" for text in found]


def _join(word: str, rare: set[str]) -> Iterator[str]:
    """Yield the stretches of a word in which every piece is a rare one."""
    begin = 0
    for place in range(len(word) - 1):
        if word[place : place + 3] not in rare:
            if place > begin:
                yield word[begin : place + 2]
            begin = place + 1
