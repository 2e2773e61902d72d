"""Where the columns of a PDF stand: widths from the data, and a font size at which they fit."""

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.pipeline.pdf_fonts import EM, Face
from webapp.pipeline.write_base import Column
from webapp.pipeline.write_text import is_text

PAGE_WIDTH = 841.89  # A4 landscape, in points
PAGE_HEIGHT = 595.28
MARGIN = 34.0
SIZES = (8.0, 7.5, 7.0, 6.5, 6.0, 5.5)  # points
LINE_HEIGHT = 1.5  # of the font size
GAP = round(1.6 * EM)  # between columns
COMFORTABLE = 12 * EM  # a text column narrower than this wraps too much: take a smaller font
SPREAD = 1.5  # at most so many times its natural width is a column given to fill the page


@dataclass(frozen=True)
class Slot:
    """The place of a column, in thousandths of the font size from the left margin."""

    left: int
    width: int
    is_right: bool


@dataclass(frozen=True)
class Layout:
    """The places of all columns, at a font size in points."""

    size: float
    slots: tuple[Slot, ...]

    @property
    def line_height(self) -> float:
        """The height of a line, in points."""
        return self.size * LINE_HEIGHT

    @property
    def width(self) -> int:
        """The width of the table, in thousandths of the font size."""
        return _get_room(self.size)

    def to_points(self, width: int) -> float:
        """Return a width in points."""
        return width * self.size / EM


@dataclass(frozen=True)
class Need:
    """How wide a column wants to be: all on one line, at least, and in the worst case (a word a line)."""

    natural: int
    minimum: int
    word: int


def build_layout(
    columns: Sequence[Column],
    sample: Sequence[Sequence[str]],
    totals: Sequence[str],
    face: Face,
    bold: Face,
) -> Layout:
    """Choose the widths, from the texts of some rows and of the totals that are expected."""
    needs = [
        _measure(column, [row[index] for row in sample], total, face, bold)
        for index, (column, total) in enumerate(zip(columns, totals, strict=True))
    ]
    comfortable = min(COMFORTABLE, max(need.natural for need in needs))
    for size in SIZES:
        room = _get_room(size) - GAP * (len(columns) - 1)
        cap = _get_cap(needs, room)
        if cap is not None and (cap >= comfortable or size == SIZES[-1]):
            return Layout(size, _place(columns, _spread(needs, cap, room)))
    needs = [Need(need.natural, min(need.word, room // len(needs)), 0) for need in needs]
    return Layout(size, _place(columns, _spread(needs, _get_cap(needs, room) or 0, room)))


def _get_room(size: float) -> int:
    return int((PAGE_WIDTH - 2 * MARGIN) / size * EM)


def _measure(column: Column, texts: Sequence[str], total: str, face: Face, bold: Face) -> Need:
    lines = [line for text in texts for line in text.split("\n")]
    label = max(map(bold.estimate, column.label.split()), default=EM)
    word = max(label, *(face.estimate(part) for line in lines for part in line.split()), EM)
    longest = max(bold.estimate(total), *(face.estimate(line) for line in lines), 0)
    natural = max(bold.estimate(column.label), longest, EM)
    return Need(natural, min(word, COMFORTABLE) if is_text(column.type) else max(label, longest), word)


def _get_cap(needs: Sequence[Need], room: int) -> int | None:
    """Return the width over which no column may go, beyond its minimum, for all to fit; None if none do."""
    low, high = 0, max(need.natural for need in needs)
    if sum(need.minimum for need in needs) > room:
        return None
    while low < high:
        cap = (low + high + 1) // 2
        if sum(_cut(need, cap) for need in needs) <= room:
            low = cap
        else:
            high = cap - 1
    return low


def _cut(need: Need, cap: int) -> int:
    return max(need.minimum, min(need.natural, cap))


def _spread(needs: Sequence[Need], cap: int, room: int) -> list[int]:
    """Return the widths, wider than needed where the page has room."""
    widths = [_cut(need, cap) for need in needs]
    factor = max(1.0, min(SPREAD, room / sum(widths)))
    return [int(width * factor) for width in widths]


def _place(columns: Sequence[Column], widths: list[int]) -> tuple[Slot, ...]:
    slots = []
    left = 0
    for column, width in zip(columns, widths, strict=True):
        slots.append(Slot(left, width, column.type.align == "end"))
        left += width + GAP
    return tuple(slots)
