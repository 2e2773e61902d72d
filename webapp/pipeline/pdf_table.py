"""Rows of values into the pages of a PDF, with their totals."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from webapp.pipeline.pdf_columns import build_layout
from webapp.pipeline.pdf_document import Document
from webapp.pipeline.pdf_fonts import find_fonts, get_face
from webapp.pipeline.pdf_pages import Page, Paginator
from webapp.pipeline.pdf_text import Line, clean, wrap
from webapp.pipeline.pdf_values import PLACES, Formatter, get_places
from webapp.pipeline.write_base import Batch, Column, ExportInfo, Note, Row
from webapp.pipeline.write_text import is_text, read_amount
from webapp.resources.base import N_
from webapp.resources.types import Integer, Money

LINES_OF_TEXT = 6  # of a cell, before an ellipsis
UNKNOWN_ROWS = 100  # times as many rows as in the sample are provided for, if nobody knows
SHORTENED = N_("Long texts shortened to %(lines)s lines, ending in “…”: %(count)s.")


class Table:
    """Lays out rows. ``sample``, the first of them, decides the widths of the columns.

    ``rows`` counts them, ``shortened`` counts the texts that were too long.
    """

    def __init__(
        self, columns: Sequence[Column], info: ExportInfo, sample: Sequence[Row], *, is_full: bool
    ) -> None:
        self._columns = columns
        self._amounts = [index for index, column in enumerate(columns) if isinstance(column.type, Money)]
        sample = self._read(sample)
        self._formatter = Formatter(info)
        self._limit = None if is_full else LINES_OF_TEXT
        fonts = find_fonts()
        self._face, self._bold = get_face(fonts.regular), get_face(fonts.bold)
        self._totals = [_get_zero(column) for column in columns]
        self._places = [
            _get_places([row[index] for row in sample], column) for index, column in enumerate(columns)
        ]
        layout = build_layout(
            columns,
            [[clean(text) for text in self._format(row)] for row in sample],
            self._format(self._expect_totals(sample, info.total)),
            self._face,
            self._bold,
        )
        self._widths = [slot.width for slot in layout.slots]
        self.document = Document(info, columns, layout, fonts)
        self.rows = self.shortened = 0

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the reader should know about the texts."""
        shortened = {"count": self.shortened, "lines": LINES_OF_TEXT}
        return (*((Note(SHORTENED, shortened),) if self.shortened else ()), *self.document.glyphs.notes)

    def _read(self, batch: Batch) -> list[Row]:
        """Return the rows with their amounts as numbers: here they are added up."""
        columns: list[Any] = list(zip(*batch, strict=True))
        for index in self._amounts if columns else ():
            columns[index] = [None if value is None else read_amount(value) for value in columns[index]]
        return list(zip(*columns, strict=True))

    def _format(self, row: Sequence[Any]) -> list[str]:
        cells = zip(row, self._columns, self._places, strict=True)
        return [self._formatter.format(value, column.type, places) for value, column, places in cells]

    def _expect_totals(self, sample: Sequence[Row], total: int | None) -> list[Any]:
        """Return totals as large as may be expected of all rows: they need room in their columns."""
        factor = UNKNOWN_ROWS if total is None else total // (len(sample) or 1) + 1
        return [
            None if zero is None else sum((row[index] or 0 for row in sample), zero) * factor
            for index, zero in enumerate(self._totals)
        ]

    def lay_out(self, batches: Iterable[Batch]) -> Iterator[Page]:
        """Yield the pages, each as soon as it is full; the last has the totals."""
        document = self.document
        paginator = Paginator(
            document.layout, self._face, self._bold, document.title_height, document.head_height
        )
        for batch in batches:
            for row in self._read(batch):
                yield from paginator.add(self._wrap(row))
                self._add_up(row)
            self.rows += len(batch)
        yield from paginator.finish(self._wrap_totals(), self._get_remarks())

    def _wrap(self, row: Row) -> list[tuple[Line, ...]]:
        cells = []
        for text, width in zip(self._format(row), self._widths, strict=True):
            lines, is_shortened = wrap(self.document.show(text), width, self._face, self._limit)
            self.shortened += is_shortened
            cells.append(lines)
        return cells

    def _add_up(self, row: Row) -> None:
        self._totals = [
            total if total is None or value is None else total + value
            for total, value in zip(self._totals, row, strict=True)
        ]

    def _wrap_totals(self) -> list[tuple[Line, ...]] | None:
        """Return the last line of the table, None if no column can be added up."""
        if not self.rows or all(total is None for total in self._totals):
            return None
        texts = self._format(self._totals)
        for index, column in enumerate(self._columns):
            if is_text(column.type):
                texts[index] = self.document.translate(N_("Total"))
                break
        return [wrap(text, width, self._bold)[0] for text, width in zip(texts, self._widths, strict=True)]

    def _get_remarks(self) -> tuple[str, ...]:
        if not self.rows:
            return (self.document.translate(N_("There are no records.")),)
        return tuple(self.document.translate(note.message, **note.params) for note in self.notes)


def _get_zero(column: Column) -> Any:
    """Return where a total begins, None for a column that cannot be added up."""
    if isinstance(column.type, Money):
        return Decimal(0)
    return 0 if isinstance(column.type, Integer) else None


def _get_places(values: Sequence[Any], column: Column) -> int:
    """Return the decimals that all amounts of a column are shown with."""
    if not isinstance(column.type, Money):
        return PLACES[0]
    return max((get_places(value) for value in values if value is not None), default=PLACES[0])
