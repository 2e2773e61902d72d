"""Rows of cells as lines of text in which spaces put every cell at its place.

WeasyPrint spends its time on boxes, so a page of the table is one block of text rather than a box for
each cell (measured: 0.6 ms against 5 ms a row of nine columns). A cell whose width only a layout
engine can tell, because of right-to-left or unknown characters, goes into a layer of its column.
"""

from collections.abc import Sequence

from webapp.pipeline.pdf_columns import Layout, Slot
from webapp.pipeline.pdf_fonts import Face
from webapp.pipeline.pdf_text import Line

Cell = Sequence[Line]


class Block:
    """Lines of one font, and the layers over them: for each column, texts by their line."""

    def __init__(self, layout: Layout, face: Face) -> None:
        self._slots = layout.slots
        self._face = face
        self.lines: list[str] = []
        self.layers: dict[Slot, dict[int, str]] = {}

    def __len__(self) -> int:
        return len(self.lines)

    def add(self, cells: Sequence[Cell], first: int = 0, last: int | None = None) -> None:
        """Add a row; ``first`` and ``last`` choose from its lines where a page cannot hold them all."""
        for number in range(first, get_height(cells) if last is None else last):
            self.lines.append(self._join(cells, number))

    def _join(self, cells: Sequence[Cell], number: int) -> str:
        parts: list[str] = []
        end = 0
        for cell, slot in zip(cells, self._slots, strict=True):
            if number >= len(cell) or not cell[number].text:
                continue
            line = cell[number]
            if line.width is None:
                self.layers.setdefault(slot, {})[len(self.lines)] = line.text
                continue
            start = slot.left + slot.width - line.width if slot.is_right else slot.left
            space = self._face.get_space(start - end)
            parts += (space, line.text)
            end = start + line.width
        return "".join(parts)


def get_height(cells: Sequence[Cell]) -> int:
    """Return the number of lines of a row."""
    return max(map(len, cells))
