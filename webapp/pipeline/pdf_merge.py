"""One PDF out of many pieces, written as they come: nothing but numbers is kept in memory.

pypdf holds every object of the result (measured: 741 MB for 28,000 pages). Here the pieces are all
WeasyPrint's, in PDF 1.4 with a plain table of objects, so it is enough to copy each object under a
new number, and to write one tree of pages and one table of objects around them.

The number of pages stands on every page but is known last. Pages show a placeholder image instead;
the merger points them all to one drawing, which comes in at the end.
"""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

# An image of 7 by 3 pixels, a size that nothing else has; see templates/exports/table.html.
PLACEHOLDER = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAcAAAADCAAAAAB6qEoZAAAADklEQVR42mP4DwEMaDQA+xwU7PxJTS8AAAAASUVORK5CYII="
)
_IS_PLACEHOLDER = re.compile(rb"/Subtype */Image\b(?=.*/Width 7\b)(?=.*/Height 3\b)", re.DOTALL)
_REFERENCE = re.compile(rb"(\d+) 0 R\b")
_HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_CATALOG, _INFO, _PAGES, _TOTAL = 1, 2, 3, 4  # the numbers of our own objects


@dataclass(frozen=True)
class _Object:
    """An object of a piece: its number there, its dictionary, and its stream if it has one."""

    number: int
    head: bytes
    stream: bytes

    @property
    def is_page(self) -> bool:
        return re.search(rb"/Type */Page\b", self.head) is not None


class PdfMerger:
    """Writes a PDF to ``file`` from its present position on, without seeking."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._position = 0
        self._offsets = array("Q", [0] * (_TOTAL + 1))
        self._nodes: list[tuple[int, int]] = []  # the page tree's nodes, one a piece: number, pages
        self._write(_HEADER)

    @property
    def pages(self) -> int:
        """The number of pages so far."""
        return sum(count for _, count in self._nodes)

    def append(self, piece: Path) -> None:
        """Add the pages of a piece."""
        objects = list(_read_objects(piece.read_bytes()))
        numbers = self._renumber(objects)
        node = self._reserve()
        pages = []
        for item in objects:
            number = numbers[item.number]
            if number == _TOTAL:
                continue
            head = _replace_references(item.head, numbers)
            if item.is_page:
                head = re.sub(rb"/Parent \d+ 0 R", b"/Parent %d 0 R" % node, head)
                pages.append(number)
            self._write_object(number, head + item.stream)
        kids = b" ".join(b"%d 0 R" % number for number in pages)
        self._write_object(
            node, b"<< /Type /Pages /Parent %d 0 R /Count %d /Kids [%s] >>" % (_PAGES, len(pages), kids)
        )
        self._nodes.append((node, len(pages)))

    def _renumber(self, objects: list[_Object]) -> dict[int, int]:
        return {
            item.number: _TOTAL if _IS_PLACEHOLDER.search(item.head) else self._reserve() for item in objects
        }

    def finish(self, total: Path, *, title: str, language: str, created: datetime) -> None:
        """Add the drawing of the number of pages, and complete the file."""
        self._append_total(total)
        kids = b" ".join(b"%d 0 R" % number for number, _ in self._nodes)
        self._write_object(_PAGES, b"<< /Type /Pages /Count %d /Kids [%s] >>" % (self.pages, kids))
        self._write_object(
            _CATALOG,
            b"<< /Type /Catalog /Pages %d 0 R /Lang %s /ViewerPreferences << /DisplayDocTitle true >> >>"
            % (_PAGES, _format_text(language.replace("_", "-"))),
        )
        self._write_object(
            _INFO,
            b"<< /Title %s /Creator (Stockroom) /Producer (WeasyPrint) /CreationDate (D:%s+00'00) >>"
            % (_format_text(title), f"{created:%Y%m%d%H%M%S}".encode()),
        )
        self._write_table()

    def _append_total(self, piece: Path) -> None:
        """Turn a piece's only page into a drawing of one by one, the size in which images are drawn."""
        objects = list(_read_objects(piece.read_bytes()))
        page = next(item for item in objects if item.is_page)
        content = _get_reference(page.head, b"Contents")
        box = re.search(rb"/MediaBox \[([^\]]*)\]", page.head)
        left, top, right, bottom = map(float, box[1].split()) if box else (0, 0, 1, 1)
        numbers = self._renumber(objects) | {content: _TOTAL}
        for item in objects:
            head = _replace_references(item.head, numbers)
            if item.number == content:
                head = head.replace(
                    b"<<",
                    b"<< /Type /XObject /Subtype /Form /BBox [%g %g %g %g] /Matrix [%g 0 0 %g 0 0]"
                    b" /Resources %d 0 R "
                    % (
                        left, top, right, bottom, 1 / (right - left), 1 / (bottom - top),
                        numbers[_get_reference(page.head, b"Resources")],
                    ),
                    1,
                )  # fmt: skip
            if not item.is_page:
                self._write_object(numbers[item.number], head + item.stream)

    def _reserve(self) -> int:
        self._offsets.append(0)
        return len(self._offsets) - 1

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._position += len(data)

    def _write_object(self, number: int, data: bytes) -> None:
        self._offsets[number] = self._position
        self._write(b"%d 0 obj\n%s\nendobj\n" % (number, data))

    def _write_table(self) -> None:
        start = self._position
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % len(self._offsets))
        for offset in self._offsets[1:]:
            self._write(b"%010d 00000 n \n" % offset if offset else b"0000000000 65535 f \n")
        self._write(
            b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
            % (len(self._offsets), _CATALOG, _INFO, start)
        )


def _read_objects(data: bytes) -> Iterator[_Object]:
    """Yield the objects of a piece that its pages use: all but catalogue, page tree and information."""
    start = int(data[data.rindex(b"startxref") + 9 :].split()[0])
    trailer = data[data.rindex(b"trailer") :]
    table = data[start:].split(b"\n")
    count = int(table[1].split()[1])
    offsets = {number: int(table[2 + number][:10]) for number in range(1, count)}
    ends = dict(zip(sorted(offsets.values()), [*sorted(offsets.values())[1:], start], strict=True))
    root = _get_reference(trailer, b"Root")
    skipped = {root, _get_reference(trailer, b"Info")}
    skipped.add(_get_reference(data[offsets[root] : ends[offsets[root]]], b"Pages"))
    for number, offset in offsets.items():
        if number not in skipped:
            body = data[offset : ends[offset]]
            body = body[body.index(b"obj\n") + 4 : body.rindex(b"\nendobj")]
            head, mark, stream = body.partition(b"\nstream\n")
            yield _Object(number, head, mark + stream)


def _get_reference(head: bytes, key: bytes) -> int:
    match = re.search(rb"/%s (\d+) 0 R" % key, head)
    return int(match[1]) if match else 0


def _replace_references(head: bytes, numbers: dict[int, int]) -> bytes:
    return _REFERENCE.sub(lambda match: b"%d 0 R" % numbers.get(int(match[1]), _PAGES), head)


def _format_text(text: str) -> bytes:
    return b"<FEFF%s>" % text.encode("utf-16-be", "replace").hex().upper().encode()
