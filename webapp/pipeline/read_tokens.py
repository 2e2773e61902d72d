"""CSV text to records that know their physical line. Only ``csv_form`` beside it knows ``csv.reader``.

Whole blocks of lines go through the ``csv`` module at once. Only where a block holds a record of
several lines, or one that breaks the rules, it is read again record by record.
"""

import csv
from collections.abc import Iterator
from itertools import chain

from webapp.pipeline.csv_form import CsvForm, find_bad_quote
from webapp.pipeline.formula import restore_formula_text
from webapp.pipeline.read_encoding import BAD_BYTE
from webapp.pipeline.read_fit import Batch, cell_too_long, check_cells
from webapp.resources.base import N_
from webapp.resources.types import Problem

# How far past the cell limit a closing quote is looked for, before the quote counts as never closed.
_OVERRUN = 64
_NO_LIMIT = 2**31 - 1


def read_tokens(blocks: Iterator[list[str]], form: CsvForm, first_line: int = 1) -> Iterator[Batch]:
    """Yield the records of blocks of lines (line ends kept), blank ones as empty rows.

    ``first_line`` is the physical line number of the first line that is given.
    """
    feed = _Feed(blocks, first_line)
    while lines := feed.take():
        start = feed.line
        csv.field_size_limit(form.cell_limit)  # it belongs to the process, so it is set before each use
        try:
            rows = list(form.make_reader(lines))
        except csv.Error:
            rows = []
        if len(rows) == len(lines):
            feed.line += len(lines)
            batch = Batch(range(start, start + len(rows)), rows, {})
        else:
            batch = _RecordReader(feed, lines, form).read()
        text = "".join(lines)
        yield _restore(_check_characters(batch, text, form.cell_limit), text)


class _Feed:
    """Blocks of lines with a way back: lines that were not used are given out again."""

    def __init__(self, blocks: Iterator[list[str]], line: int) -> None:
        self.blocks = blocks
        self.line = line  # of the first line that the next ``take`` returns
        self.returned: list[str] = []

    def take(self) -> list[str]:
        """Return the next lines, none at the end of the file."""
        lines, self.returned = self.returned, []
        return lines or next(self.blocks, [])


class _RecordReader:
    """Reads the records that start in one block, one after the other; the last may need more blocks."""

    def __init__(self, feed: _Feed, lines: list[str], form: CsvForm) -> None:
        self.feed = feed
        self.lines = lines  # grows while a record goes on beyond the block
        self.form = form
        self.size = len(lines)
        self.starts: list[int] = []
        self.rows: list[list[str]] = []
        self.problems: dict[int, Problem] = {}

    def read(self) -> Batch:
        """Return the records; what is left of the lines goes back to the feed."""
        position = 0
        while position < self.size:
            position = self._read_until_problem(position)
        self.feed.returned = self.lines[position:] + self.feed.returned
        del self.lines[position:]
        self.feed.line += position
        return Batch(self.starts, self.rows, self.problems)

    def _read_until_problem(self, base: int) -> int:
        """Read records from index ``base`` on; return the index of the line after the last one read."""
        reader = self.form.make_reader(self._lines_from(base))
        position = base
        while position < self.size:
            try:
                row = next(reader)
            except csv.Error:
                return self._recover(position, base + reader.line_num)
            self._add(position, row)
            position = base + reader.line_num
        return position

    def _lines_from(self, position: int) -> Iterator[str]:
        return chain(self.lines[position:], self._more_lines())

    def _more_lines(self) -> Iterator[str]:
        """Yield the lines beyond the block, for a record that ends there."""
        while more := self.feed.take():
            self.lines.extend(more)
            yield from more

    def _add(self, position: int, row: list[str], problem: Problem | None = None) -> None:
        line = self.feed.line + position
        self.starts.append(line)
        self.rows.append(row)
        if problem:
            self.problems[line] = problem

    def _recover(self, position: int, end: int) -> int:
        """Report the record that starts at ``position``, and return where the next one starts.

        Only its own lines are given up: whatever an open quote has swallowed after them is read again.
        """
        overlong = self._read_overlong(position)
        if overlong:
            row, end = overlong
            self._add_overlong(position, row)
            return end
        opening, is_stray = find_bad_quote(self.lines[position:end], self.form)
        opening += position
        row = self._read_leniently(position, opening + 1)
        problem = _stray_quote() if is_stray else _open_quote(self.feed.line + opening)
        self._add(position, [cell[: self.form.cell_limit] for cell in row], problem)
        return opening + 1

    def _read_overlong(self, position: int) -> tuple[list[str], int] | None:
        """Return the record and its end if all that is wrong with it is a cell beyond the limit."""
        csv.field_size_limit(self.form.cell_limit * _OVERRUN)
        reader = self.form.make_reader(self._lines_from(position))
        try:
            return next(reader), position + reader.line_num
        except csv.Error:
            return None
        finally:
            csv.field_size_limit(self.form.cell_limit)

    def _add_overlong(self, position: int, row: list[str]) -> None:
        limit = self.form.cell_limit
        column, cell = max(enumerate(row, start=1), key=lambda pair: len(pair[1]))
        self._add(position, [one[:limit] for one in row], cell_too_long(column, len(cell), limit))

    def _read_leniently(self, position: int, end: int) -> list[str]:
        csv.field_size_limit(_NO_LIMIT)
        try:
            row: list[str] = next(self.form.make_reader(self.lines[position:end], strict=False), [])
        except csv.Error:
            row = ["".join(self.lines[position:end])]
        finally:
            csv.field_size_limit(self.form.cell_limit)
        if row:
            row[-1] = row[-1].rstrip("\r\n")
        return row


def _stray_quote() -> Problem:
    return Problem(
        N_("A quote inside a cell is not doubled."), N_('Write "" for each quote inside a quoted cell.')
    )


def _open_quote(line: int) -> Problem:
    return Problem(
        N_("The quote that opens on line %(opening)s is never closed, or closes in the middle of a cell."),
        N_("Close the quote, or double it if it belongs to the text."),
        opening=line,
    )


def _check_characters(batch: Batch, text: str, limit: int) -> Batch:
    """Report cells with NUL or with bytes that are not UTF-8; one look at the text spares most blocks."""
    bad_bytes = not text.isascii() and BAD_BYTE.search(text) is not None
    if "\x00" not in text and not bad_bytes:
        return batch
    for line, row in zip(batch.lines, batch.rows, strict=True):
        problem = check_cells(row, limit)
        if bad_bytes and BAD_BYTE.search("".join(row)):
            problem = Problem(
                N_("The row holds bytes that are not UTF-8."),
                N_("Save the file as UTF-8, or correct the text."),
            )
        if problem:
            batch.problems.setdefault(line, problem)
    return batch


def _restore(batch: Batch, text: str) -> Batch:
    """Take off the apostrophes that keep our texts from being run; most blocks have none."""
    if "'" not in text:
        return batch
    rows = [[restore_formula_text(cell) if cell[:1] == "'" else cell for cell in row] for row in batch.rows]
    return batch._replace(rows=rows)
