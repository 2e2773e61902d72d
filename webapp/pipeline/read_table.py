"""A table that was read: its dialect, its first rows, and all of its rows in DataFrames of text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

from webapp.pipeline.dialect import Dialect
from webapp.pipeline.limits import Limits
from webapp.pipeline.read_csv import read_csv
from webapp.pipeline.read_fit import Batch
from webapp.pipeline.read_json import read_json
from webapp.pipeline.read_source import Source, open_binary
from webapp.pipeline.read_survey import SAMPLE_ROWS
from webapp.pipeline.read_xlsx import read_xlsx
from webapp.resources.types import Problem

if TYPE_CHECKING:
    from pandas import DataFrame

SampleRow = tuple[int, dict[str, str]]
CHUNK_CHARACTERS = 8 * 1024 * 1024  # 1,600 of each of 5,000 rows: many times what shops write


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows.

    ``columns`` holds text only, '' for an empty cell, and ``lines`` the physical line on which each
    record starts. ``problems`` tells by line what is wrong with a row as such. A row with a problem is
    in the columns, too, as far as it could be read, but must not be stored.
    """

    lines: list[int]
    columns: dict[str, list[str]]
    problems: dict[int, Problem]

    @cached_property
    def frame(self) -> "DataFrame":
        """The rows as a DataFrame of text, never NaN; its index, named ``line``, is the line of each."""
        from pandas import DataFrame, Index  # noqa: PLC0415 - who wants no frame needs no pandas

        return DataFrame(self.columns, index=Index(self.lines, name="line"), dtype="str")


class Table:
    """A file as a table. Nothing is kept in memory but the dialect and a few rows.

    A file object given as the source has one place only: do not read two chunk iterators in turn.
    """

    def __init__(
        self, source: Source, dialect: Dialect, limits: Limits, sample: Sequence[SampleRow] | None = None
    ) -> None:
        self.source = source
        self.dialect = dialect
        self.limits = limits
        if sample is not None:
            self.sample = list(sample)

    @property
    def columns(self) -> list[str]:
        """The names of the columns, unique, in the order of the file."""
        return list(self.dialect.columns)

    @cached_property
    def sample(self) -> list[SampleRow]:
        """The first rows: the line of each and its texts by column."""
        rows: list[SampleRow] = []
        for batch in self._read_batches():
            wanted = SAMPLE_ROWS - len(rows)
            pairs = zip(batch.lines[:wanted], batch.rows[:wanted], strict=True)
            rows.extend((line, dict(zip(self.columns, row, strict=True))) for line, row in pairs)
            if len(rows) >= SAMPLE_ROWS:
                break
        return rows

    def chunks(self, size: int = 5000, start_line: int = 0) -> Iterator[Chunk]:
        """Yield the rows, at most ``size`` at a time, fewer of long ones; a file without rows yields nothing.

        Records that start at or before ``start_line`` are skipped: a job resumes with the line of
        the last row that it finished.
        """
        lines: list[int] = []
        cells: list[list[str]] = [[] for _ in self.dialect.columns]
        problems: dict[int, Problem] = {}
        characters = 0
        for batch in self._read_batches():
            part = batch if not batch.lines or batch.lines[0] > start_line else batch.cut_after(start_line)
            lines += part.lines
            # By column at once: thousands of waiting rows make the garbage collector take half the time.
            for column, values in zip(cells, zip(*part.rows, strict=True), strict=bool(part.rows)):
                column.extend(values)
                characters += sum(map(len, values))
            problems |= part.problems
            done = 0
            while len(lines) - done >= size:
                yield self._make_chunk(lines, cells, problems, slice(done, done + size))
                done += size
                characters = 0
            if characters > CHUNK_CHARACTERS:
                yield self._make_chunk(lines, cells, problems, slice(done, None))
                done, characters = len(lines), 0
            del lines[:done]
            for column in cells:
                del column[:done]
        if lines:
            yield self._make_chunk(lines, cells, problems, slice(None))

    def _make_chunk(
        self, lines: list[int], cells: list[list[str]], problems: dict[int, Problem], part: slice
    ) -> Chunk:
        own_lines = lines[part]
        own = {line: problems.pop(line) for line in list(problems) if line <= own_lines[-1]}
        columns = {name: column[part] for name, column in zip(self.dialect.columns, cells, strict=True)}
        return Chunk(own_lines, columns, own)

    def _read_batches(self) -> Iterator[Batch]:
        with open_binary(self.source) as file:
            yield from _get_batches(file, self.dialect, self.limits)


def _get_batches(file: BinaryIO, dialect: Dialect, limits: Limits) -> Iterator[Batch]:
    if dialect.kind == "xlsx":
        return read_xlsx(file, dialect, limits)
    if dialect.kind == "csv":
        return read_csv(file, dialect, limits)
    return read_json(file, dialect, limits)
