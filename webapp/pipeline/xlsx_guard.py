"""What an XLSX would become, found out before it is parsed: a few kilobytes can unpack to terabytes."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from webapp.pipeline.limits import Limits
from webapp.pipeline.problems import Notice, ReadProblem, make_notice
from webapp.pipeline.sniff import not_a_workbook
from webapp.resources.base import N_

_BLOCK = 1024 * 1024
_OVERLAP = 256  # bytes repeated from block to block, so that no cell is cut in two unseen
_MAX_ENTRIES = 10_000
_COLUMN = re.compile(rb"""\sr=["']([A-Z]{1,3})[0-9]""")
_ROW = re.compile(rb"""\sr=["'][A-Z]{0,3}([0-9]{1,7})["']""")
_ERROR = re.compile(rb"""\sr=["']([A-Z]{1,3}[0-9]{1,7})["'][^<>]*\st=["']e["']""")


@dataclass
class WorkbookFacts:
    """What the unpacked sheets showed: cells with an error value (#N/A …), and the first of them."""

    errors: int = 0
    first_error: str = ""

    @property
    def notices(self) -> list[Notice]:
        """Error values come out of the reader as empty cells, so they are told of here."""
        if not self.errors:
            return []
        message = N_(
            "Cells that hold an error such as #N/A and are read as empty: %(count)s (the first is %(cell)s)."
        )
        return [make_notice(message, count=self.errors, cell=self.first_error)]


def check_workbook(file: BinaryIO, limits: Limits) -> WorkbookFacts:
    """Unpack every entry once, keeping nothing, and raise ReadProblem if it is more than allowed.

    The directory's sizes are checked first; they are only claims, so the bytes are counted as well.
    """
    facts = WorkbookFacts()
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if not names & {"xl/workbook.xml", "xl\\workbook.xml"}:
                raise not_a_workbook()
            if (
                len(entries) > _MAX_ENTRIES
                or sum(entry.file_size for entry in entries) > limits.max_inflated_bytes
            ):
                raise _too_large(limits)
            left = limits.max_inflated_bytes
            for entry in entries:
                left -= _check_entry(file, entry, left, limits, facts)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise unreadable_workbook() from error
    return facts


def unreadable_workbook() -> ReadProblem:
    """Return the answer to a workbook that is damaged."""
    return ReadProblem(
        N_("The Excel workbook is damaged and cannot be read."),
        N_("Open it in a spreadsheet and save it again."),
    )


def _check_entry(
    file: BinaryIO, entry: zipfile.ZipInfo, left: int, limits: Limits, facts: WorkbookFacts
) -> int:
    """Return the unpacked bytes of one entry; look for the cells of a sheet on the way."""
    is_sheet = re.match(r"xl[/\\]worksheets[/\\][^/\\]*\.xml", entry.filename) is not None
    size, tail = 0, b""
    columns: set[bytes] = set()
    last_row = 0
    for block in _inflate(file, entry):
        size += len(block)
        if size > left:
            raise _too_large(limits)
        if not is_sheet:
            continue
        text = tail + block
        columns.update(_COLUMN.findall(text))
        last_row = max([last_row, *map(int, set(_ROW.findall(text)))])
        _count_errors(text, facts, len(tail))
        tail = text[-_OVERLAP:]
    area = last_row * max(map(_as_number, columns), default=0)
    if area > limits.max_sheet_area:
        raise _too_wide(last_row, max(columns, key=_as_number).decode(), limits)
    return size


def _inflate(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the real bytes of an entry, however many the directory claims."""
    file.seek(entry.header_offset)
    header = file.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile
    skip = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    file.seek(skip, 1)
    if entry.compress_type == zipfile.ZIP_STORED:
        yield from _read_stored(file, entry.compress_size)
        return
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        raise NotImplementedError
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    packed = b""
    while not unpacker.eof:
        packed = unpacker.unconsumed_tail or file.read(_BLOCK // 16)
        if not packed:
            raise EOFError
        yield unpacker.decompress(packed, _BLOCK)


def _read_stored(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (block := file.read(min(size, _BLOCK))):
        size -= len(block)
        yield block


def _count_errors(text: bytes, facts: WorkbookFacts, seen: int) -> None:
    """Count error cells that end beyond the first ``seen`` bytes, which were looked at before."""
    if b't="e"' not in text and b"t='e'" not in text:
        return
    for match in _ERROR.finditer(text):
        if match.end() > seen:
            facts.errors += 1
            facts.first_error = facts.first_error or match[1].decode()


def _as_number(letters: bytes) -> int:
    """Return the position of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _too_large(limits: Limits) -> ReadProblem:
    return ReadProblem(
        N_("Unpacked, the workbook has more than %(limit)s bytes."),
        N_("Remove sheets and images that are not needed, or save the table as CSV (UTF-8)."),
        limit=limits.max_inflated_bytes,
    )


def _too_wide(row: int, column: str, limits: Limits) -> ReadProblem:
    return ReadProblem(
        N_(
            "A sheet uses cells as far as column %(column)s and row %(row)s, more than %(limit)s cells in all."
        ),
        N_("Delete the stray cells beyond the table, or save the table as CSV (UTF-8)."),
        column=column,
        row=row,
        limit=limits.max_sheet_area,
    )
