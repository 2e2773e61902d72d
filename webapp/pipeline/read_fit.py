"""Records made as wide as the header: blank ones dropped, short ones padded, odd ones reported."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from webapp.resources.base import N_
from webapp.resources.types import Problem

# A record of fewer cells than this share of the columns is no row that merely ends early.
_SHORT_SHARE = 0.5
_SHORT_MIN_COLUMNS = 3
_SHOWN_CELLS = 5
_SURROGATE = re.compile("[\ud800-\udfff]")  # in JSON one may be written alone


class Batch(NamedTuple):
    """Some consecutive records: the line on which each starts, its cells, and what is wrong by line."""

    lines: Sequence[int]
    rows: Sequence[Sequence[str]]
    problems: dict[int, Problem]

    def cut_before(self, line: int) -> "Batch":
        """Return the records that start before a line."""
        count = bisect_left(self.lines, line)
        problems = {one: problem for one, problem in self.problems.items() if one < line}
        return Batch(self.lines[:count], self.rows[:count], problems)

    def cut_after(self, line: int) -> "Batch":
        """Return the records that start after a line."""
        count = bisect_right(self.lines, line)
        problems = {one: problem for one, problem in self.problems.items() if one > line}
        return Batch(self.lines[count:], self.rows[count:], problems)


def fit(batch: Batch, width: int) -> Batch:
    """Return the batch with exactly ``width`` cells a row and without blank records."""
    rows = batch.rows
    if set(map(len, rows)) == {width} and all(map(str.strip, map(itemgetter(0), rows))):
        return batch
    lines: list[int] = []
    fitted: list[Sequence[str]] = []
    problems = dict(batch.problems)
    for line, row in zip(batch.lines, rows, strict=True):
        if is_blank(row) and line not in problems:
            continue
        if len(row) != width:
            problem = _check_width(row, width)
            if problem:
                problems.setdefault(line, problem)
        lines.append(line)
        fitted.append(resize(row, width))
    return Batch(lines, fitted, problems)


def is_blank(row: Sequence[str]) -> bool:
    """Whether nothing but white space is written in a record."""
    return not "".join(row).strip()


def resize(row: Sequence[str], width: int) -> Sequence[str]:
    """Return the row cut or padded with empty cells."""
    if len(row) == width:
        return row
    return [*row[:width], *[""] * (width - len(row))]


def _check_width(row: Sequence[str], width: int) -> Problem | None:
    """Trailing empty separators are fine, and so is leaving out the last cells."""
    surplus = [cell for cell in row[width:] if cell.strip()]
    if surplus:
        return Problem(
            N_("The row has %(cells)s cells, but there are %(columns)s columns; left over: %(surplus)s."),
            N_("Put quotes around a cell that holds the delimiter."),
            cells=len(row),
            columns=width,
            surplus=" | ".join(surplus[:_SHOWN_CELLS]),
        )
    if width >= _SHORT_MIN_COLUMNS and len(row) < width * _SHORT_SHARE:
        return Problem(
            N_("The row has only %(cells)s of %(columns)s cells."),
            N_("Put quotes around a cell that holds a line break, or add the missing cells."),
            cells=len(row),
            columns=width,
        )
    return None


def check_cells(row: Sequence[str], limit: int) -> Problem | None:
    """Return what is wrong with the first cell that no text column may hold: too long, NUL, half a character."""
    together = "".join(row)
    is_text = together.isascii() or not _SURROGATE.search(together)
    if len(together) <= limit and "\x00" not in together and is_text:
        return None
    for position, cell in enumerate(row, start=1):
        if len(cell) > limit:
            return cell_too_long(position, len(cell), limit)
        if "\x00" in cell:
            return Problem(
                N_("The cell in column %(position)s holds a NUL character."),
                N_("Remove it."),
                position=position,
            )
        if _SURROGATE.search(cell):
            return Problem(
                N_("The cell in column %(position)s holds half of a character."),
                N_("Correct the text: a \\ud800 to \\udfff is nothing by itself."),
                position=position,
            )
    return None


def cell_too_long(position: int, length: int, limit: int) -> Problem:
    """Return the answer to a cell beyond the limit; lengths are characters, positions count from 1."""
    return Problem(
        N_("The cell in column %(position)s has %(length)s characters; at most %(limit)s are allowed."),
        N_("Shorten it."),
        position=position,
        length=length,
        limit=limit,
    )
