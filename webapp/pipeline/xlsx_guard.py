"""What an XLSX would become, found out before it is parsed: a few kilobytes can unpack to terabytes."""

import zipfile
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from webapp.pipeline.limits import MEBIBYTE, Limits
from webapp.pipeline.problems import Notice, ReadProblem, make_notice
from webapp.pipeline.sniff import not_a_workbook
from webapp.pipeline.xlsx_size import EntryFacts, measure_entry, measure_texts, sum_shown_texts
from webapp.pipeline.xlsx_xml import OverlongTag
from webapp.resources.base import N_

_BLOCK = 1024 * 1024
_MAX_ENTRIES = 10_000


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
            facts = _measure_entries(file, entries, limits)
            _check_texts(file, facts, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OverlongTag) as error:
        raise unreadable_workbook() from error
    sheets = [found for _, found in facts if found.errors]
    return WorkbookFacts(sum(found.errors for found in sheets), sheets[0].first_error if sheets else "")


def unreadable_workbook() -> ReadProblem:
    """Return the answer to a workbook that is damaged."""
    return ReadProblem(
        N_("The Excel workbook is damaged and cannot be read."),
        N_("Open it in a spreadsheet and save it again."),
    )


def _measure_entries(
    file: BinaryIO, entries: list[zipfile.ZipInfo], limits: Limits
) -> list[tuple[zipfile.ZipInfo, EntryFacts]]:
    """Return the sheets and the tables of shared texts, known by what they hold: any name will do."""
    found = []
    left = limits.max_inflated_bytes
    for entry in entries:
        facts = EntryFacts()
        for facts in measure_entry(_inflate(file, entry)):
            if facts.size > left:
                raise _too_large(limits)
            if facts.area > limits.max_sheet_area:
                raise _too_wide(facts, limits)
        left -= facts.size
        if facts.is_sheet or facts.is_texts:
            found.append((entry, facts))
    return found


def _check_texts(file: BinaryIO, found: list[tuple[zipfile.ZipInfo, EntryFacts]], limits: Limits) -> None:
    """Refuse a sheet whose texts would not fit; they are counted one by one only where they might not."""
    tables = [(entry, facts) for entry, facts in found if facts.is_texts]
    shared = sum(facts.size for _, facts in tables)
    longest = max((facts.longest for _, facts in tables), default=0)
    lengths: array[int] | None = None
    for entry, facts in found:
        if not facts.is_sheet or shared + facts.size + facts.shared_cells * longest <= limits.max_sheet_bytes:
            continue
        if lengths is None:
            lengths = array("L")
            for table, _ in tables:
                lengths.extend(measure_texts(_inflate(file, table)))
        if shared + facts.size + sum_shown_texts(_inflate(file, entry), lengths) > limits.max_sheet_bytes:
            raise _too_much_text(limits)


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


def _too_large(limits: Limits) -> ReadProblem:
    return ReadProblem(
        N_("Unpacked, the workbook has more than %(limit)s MB."),
        N_("Remove sheets and images that are not needed, or save the table as CSV (UTF-8)."),
        limit=-(-limits.max_inflated_bytes // MEBIBYTE),
    )


def _too_wide(facts: EntryFacts, limits: Limits) -> ReadProblem:
    from xlsxwriter.utility import xl_col_to_name  # noqa: PLC0415 - not for the web process

    return ReadProblem(
        N_(
            "A sheet uses cells as far as column %(column)s and row %(row)s, more than %(limit)s cells in all."
        ),
        N_("Delete the stray cells beyond the table, or save the table as CSV (UTF-8)."),
        column=xl_col_to_name(facts.columns - 1),
        row=facts.rows,
        limit=limits.max_sheet_area,
    )


def _too_much_text(limits: Limits) -> ReadProblem:
    return ReadProblem(
        N_("With the texts of its cells, a sheet takes more than %(limit)s MB."),
        N_("Save the table as CSV (UTF-8), which is read a part at a time."),
        limit=-(-limits.max_sheet_bytes // MEBIBYTE),
    )
