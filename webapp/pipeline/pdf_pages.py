"""Rows into pages: where each line stands, so that page numbers are known before anything is drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from webapp.pipeline.pdf_columns import MARGIN, PAGE_HEIGHT, Layout
from webapp.pipeline.pdf_fonts import Face
from webapp.pipeline.pdf_lines import Block, Cell, get_height

FOOTER = 40.0  # points at the foot of a page
TOTALS_GAP = 3.0  # points between the last row and the totals


@dataclass
class Page:
    """One page. ``top`` and ``totals_top`` are in points from the top of the paper."""

    number: int
    top: float
    body: Block
    bands: list[tuple[int, int]] = field(default_factory=list)
    totals: Block | None = None
    totals_top: float = 0
    remarks: tuple[str, ...] = ()
    remarks_top: float = 0


class Paginator:
    """Fills pages.

    The title and the head of the table, of these heights in points, are above the first page's rows;
    the head alone is above those of the others.
    """

    def __init__(
        self, layout: Layout, face: Face, bold: Face, title_height: float, head_height: float
    ) -> None:
        self._layout = layout
        self._face = face
        self._bold = bold
        self._head_height = head_height
        self._page = self._open(1, MARGIN + title_height)
        self._is_odd = False

    def _open(self, number: int, top: float) -> Page:
        return Page(number, top + self._head_height, Block(self._layout, self._face))

    def _turn(self) -> Page:
        page = self._page
        self._page = self._open(page.number + 1, MARGIN)
        return page

    def _get_room(self) -> int:
        """Return the number of lines that still fit on the page."""
        height = PAGE_HEIGHT - FOOTER - self._page.top
        return int(height / self._layout.line_height) - len(self._page.body)

    def add(self, cells: Sequence[Cell]) -> Iterator[Page]:
        """Add a row, and yield the pages that are full. A row is only parted if no page can hold it."""
        height = get_height(cells)
        first = 0
        while first < height:
            room = self._get_room()
            if room < min(height - first, self._get_capacity()) and len(self._page.body):
                yield self._turn()
                continue
            last = min(height, first + room)
            self._add_lines(cells, first, last)
            first = last
        self._is_odd = not self._is_odd

    def _get_capacity(self) -> int:
        height = PAGE_HEIGHT - FOOTER - MARGIN - self._head_height
        return int(height / self._layout.line_height)

    def _add_lines(self, cells: Sequence[Cell], first: int, last: int) -> None:
        if self._is_odd:
            self._page.bands.append((len(self._page.body), last - first))
        self._page.body.add(cells, first, last)

    def finish(self, totals: Sequence[Cell] | None, remarks: tuple[str, ...]) -> Iterator[Page]:
        """Add the totals and the remarks, and yield the pages that are left."""
        lines = sum(size + 1 for size in (get_height(totals) if totals else 0, len(remarks)) if size)
        if lines > self._get_room() and len(self._page.body):
            yield self._turn()
        page = self._page
        page.totals_top = page.top + len(page.body) * self._layout.line_height + TOTALS_GAP
        page.remarks_top = page.totals_top
        page.remarks = remarks
        if totals:
            page.totals = Block(self._layout, self._bold)
            page.totals.add(totals)
            page.remarks_top += (len(page.totals) + 1) * self._layout.line_height
        yield page
