"""How much memory a sheet would take, from its XML as it streams by.

The XLSX reader lays out the whole rectangle that a sheet's cells span, and gives each cell a copy of its
text, also where a thousand cells share one. Positions are understood in whatever way XML allows: in small
letters, as any attribute, or left out, which means behind the one before.
"""

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from webapp.pipeline.xlsx_xml import cut_between_tags

_ROOT = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)")
# As nearly every program writes them: no prefix, and the position comes first. Looked for much faster.
_PLAIN_COLUMN = re.compile(rb'<(?:row|c) r="([A-Z]{0,3})[0-9]{1,7}"')
_PLAIN_ROW = re.compile(rb'<(?:row|c) r="[A-Z]{0,3}([0-9]{1,7})"')
_OTHER = re.compile(rb'<(?:row|c)(?=[\s/>])(?! r="[A-Z]{0,3}[0-9]{1,7}")')
_PREFIXED = re.compile(rb":(?:row|c)[\s/>]")
_ATTRIBUTES = rb"""((?:[^<>"']|"[^"]*"|'[^']*')*)>"""
_ANY = re.compile(rb"<(?:[\w.-]+:)?(row|c)(?=[\s/>])" + _ATTRIBUTES)
_ATTRIBUTE = re.compile(rb"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_POSITION = re.compile(rb"([A-Za-z]{0,3})([0-9]{1,7})")
_SHARED_CELL = re.compile(rb"""\st\s*=\s*["']s["']""")
_SHARED_INDEX = re.compile(rb"""\st\s*=\s*["']s["'][^<>]*>\s*<(?:[\w.-]+:)?v[^<>]*>\s*([0-9]{1,9})""")
_TEXT_END = re.compile(rb"</(?:[\w.-]+:)?si\s*>|<(?:[\w.-]+:)?si\s*/>")
_ERROR = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3}[0-9]{1,7})["'][^<>]*\st\s*=\s*["']e["']""")


@dataclass
class EntryFacts:
    """What one unpacked file of a workbook showed so far; sizes are in bytes.

    ``rows`` and ``columns`` span a sheet's cells, ``shared_cells`` counts those whose text stands in the
    table of shared texts, and ``longest`` is the longest of these texts with its markup; both may be too
    large, never too small.
    """

    size: int = 0
    root: bytes = b""
    rows: int = 0
    columns: int = 0
    shared_cells: int = 0
    longest: int = 0
    errors: int = 0
    first_error: str = ""

    @property
    def is_sheet(self) -> bool:
        """Whether this is a sheet, whatever its name."""
        return self.root == b"worksheet"

    @property
    def is_texts(self) -> bool:
        """Whether this is the table of shared texts."""
        return self.root == b"sst"

    @property
    def area(self) -> int:
        """Cells of the rectangle that the sheet uses."""
        return self.rows * self.columns


def measure_entry(blocks: Iterable[bytes]) -> Iterator[EntryFacts]:
    """Yield what is known after each block of an entry: the same object, which grows."""
    facts, cursor, texts = EntryFacts(), _Cursor(), _TextMeter()
    for part, size in cut_between_tags(blocks):
        facts.size += size
        xml = part if facts.root else _enter(part, facts)
        if facts.is_sheet:
            cursor.follow(xml)
            facts.rows, facts.columns = cursor.rows, cursor.columns
            facts.shared_cells += xml.count(b'"s"') + xml.count(b"'s'")  # no fewer than there are
            errors = _ERROR.findall(xml) if b'"e"' in xml or b"'e'" in xml else []
            facts.errors += len(errors)
            facts.first_error = facts.first_error or b"".join(errors[:1]).decode()
        if facts.is_texts:
            facts.longest = max(facts.longest, *texts.measure(xml.split(b"</si>")), texts.open_size)
        yield facts


def _enter(part: bytes, facts: EntryFacts) -> bytes:
    """Note the root, which says what an entry is, and return what stands in it."""
    root = _ROOT.search(part)
    if not root:
        return part
    facts.root = root[1]
    return part[part.find(b">", root.end()) + 1 :]


def measure_texts(blocks: Iterable[bytes]) -> "array[int]":
    """Return the bytes of each shared text, markup included, in the order by which cells name them."""
    meter, found = _TextMeter(), array("L")
    for xml, _size in cut_between_tags(blocks):
        found.extend(meter.measure(_TEXT_END.split(xml)))
    return found


def sum_shown_texts(blocks: Iterable[bytes], lengths: "array[int]") -> int:
    """Return the bytes of the shared texts that a sheet's cells show, each as often as it is shown."""
    total = unknown = 0
    for xml, _size in cut_between_tags(blocks):
        shown = [int(index) for index in _SHARED_INDEX.findall(xml)]
        total += sum(lengths[index] for index in shown if index < len(lengths))
        unknown += len(_SHARED_CELL.findall(xml)) - len(shown)
    return total + unknown * max(lengths, default=0)  # between two blocks a cell and its index may be parted


class _Cursor:
    """Where the reader stands in a sheet, never further back than it does."""

    def __init__(self) -> None:
        self.rows = self.columns = self.column = 0

    def follow(self, xml: bytes) -> None:
        columns = _PLAIN_COLUMN.findall(xml)
        has_others = len(columns) < xml.count(b"<c") + xml.count(b"<row") and _OTHER.search(xml)
        if has_others or _PREFIXED.search(xml):
            self._follow_closely(xml)
            return
        self.rows = max(self.rows, *map(int, set(_PLAIN_ROW.findall(xml))), 0)
        self.columns = max(self.columns, *map(_as_number, set(columns)), 0)
        self.column = self.columns

    def _follow_closely(self, xml: bytes) -> None:
        for match in _ANY.finditer(xml):
            place = _find_place(match[2])
            if match[1] == b"row":
                self.column = 0
                self.rows = max(self.rows + 1, place[1])
            else:
                self.column = max(self.column + 1, place[0])
                self.rows = max(self.rows, place[1])
                self.columns = max(self.columns, self.column)


class _TextMeter:
    """The sizes of shared texts, of which one may go on in the next block."""

    def __init__(self) -> None:
        self.open_size = 0

    def measure(self, parts: list[bytes]) -> list[int]:
        """Return the sizes of the texts that end: of all parts but the last."""
        sizes = list(map(len, parts))
        sizes[0] += self.open_size
        self.open_size = sizes.pop()
        return sizes


def _find_place(attributes: bytes) -> tuple[int, int]:
    """Return the column and the row that a tag names, 0 for what it does not."""
    for name, double, single in _ATTRIBUTE.findall(attributes):
        if name == b"r" and (match := _POSITION.fullmatch(double or single)):
            return _as_number(match[1]), int(match[2])
    return 0, 0


def _as_number(letters: bytes) -> int:
    """Return the position of a column: A is 1, AA is 27; 0 without letters."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
