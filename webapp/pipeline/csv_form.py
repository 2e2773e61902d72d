"""How the cells of a CSV record are told apart, and which quote it is that breaks a record."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class CsvForm:
    """How cells are told apart. ``quote`` and ``escape`` may be empty; ``cell_limit`` is in characters."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    padded: bool = False
    cell_limit: int = 32_767

    def make_reader(self, lines: Iterable[str], *, strict: bool = True) -> Any:
        """Return a csv reader; strict means that a stray quote raises instead of moving cells about."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar=self.escape or None,
            skipinitialspace=self.padded,
            strict=strict,
        )


def find_bad_quote(lines: list[str], form: CsvForm) -> tuple[int, bool]:
    """Return the index of the line that opens the quote which breaks the record of these lines.

    The second value is True where that quote closes on the same line, but in the middle of a cell.
    """
    text = "".join(lines)
    cell, quoted = _compile_cells(form)
    position = 0
    while (
        (match := cell.match(text, position)) and match.end() < len(text) and text[match.end()] not in "\r\n"
    ):
        position = match.end() + 1
    index = _count_before(lines, position)
    closed = quoted.match(text, position)
    return index, closed is not None and _count_before(lines, closed.end() - 1) == index


@lru_cache
def _compile_cells(form: CsvForm) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a good cell, and of a quoted one whatever comes after it."""
    quote, escape, delimiter = (re.escape(sign) for sign in (form.quote, form.escape, form.delimiter))
    blanks = " *" if form.padded else ""
    escaped = f"|{escape}." if form.escape else ""
    quoted = f"{blanks}{quote}(?:[^{quote}{escape}]+|{quote}{quote}{escaped})*+{quote}"
    good = f"{quoted}(?=[{delimiter}\\r\\n]|\\Z)|(?!{blanks}{quote})[^{delimiter}\\r\\n]*+"
    return re.compile(good, re.DOTALL), re.compile(quoted, re.DOTALL)


def _count_before(lines: list[str], offset: int) -> int:
    """Return the index of the line that holds the character at ``offset`` of all lines together."""
    for index, line in enumerate(lines):
        offset -= len(line)
        if offset < 0:
            return index
    return len(lines) - 1
