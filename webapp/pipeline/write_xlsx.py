"""XLSX: one sheet with typed cells, a frozen header and a filter button on each column.

XlsxWriter makes the workbook: its parts, styles, widths and header. The rows are streamed into the
sheet's XML here, because its own loop over cells is six times slower (measured: 18,000 rows of ten
columns a second, against 110,000), and only sheet XML of the plainest kind is needed.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import IO, Any, BinaryIO

from webapp.pipeline.write_base import Batch, Column, ExportInfo, WriteProblem, WriteResult
from webapp.pipeline.write_text import REPLACEMENT, format_values, note_replaced
from webapp.pipeline.xlsx_cells import MAX_TEXT, NUMBER_FORMATS, ROW, TooLong, format_cells
from webapp.resources.base import N_
from webapp.resources.types import PLAIN

MAX_ROWS = 1_048_575  # below the header
WIDTH_ROWS = 200  # rows whose text decides the column widths
SHEET = "xl/worksheets/sheet1.xml"
COMPRESSION = 3  # a third faster than the usual 6, and 4 % larger
ZIP64_FROM = 2**31 - 1  # bytes of XML; Excel warns about the ZIP64 form, so it is only used for more

_INVALID = re.compile("[\ud800-\udfff\ufffe\uffff]")


def write(
    batches: Iterable[Batch],
    columns: Sequence[Column],
    file: BinaryIO,
    info: ExportInfo,
    options: Mapping[str, Any],  # noqa: ARG001 - the format has none
) -> WriteResult:
    """Write one sheet. WriteProblem when the rows do not fit, or a text does not fit in its cell."""
    check_rows(info.total or 0)
    iterator = iter(batches)
    first = next(iterator, ())
    shell = _build_shell(first[:WIDTH_ROWS], columns, info)
    sheet = _Sheet(shell.read(SHEET).decode(), columns, info)
    large = len(sheet.format_batch(first)) * (info.total or 0) > ZIP64_FROM * (len(first) or 1)
    sheet.reset()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as package:
        for part in shell.infolist():
            if part.filename != SHEET:
                package.writestr(part, shell.read(part), zipfile.ZIP_DEFLATED)
        with package.open(SHEET, "w", force_zip64=large) as target:
            sheet.write(chain([first], iterator), target)
    return WriteResult(sheet.rows, note_replaced(sheet.replaced))


def check_rows(rows: int) -> None:
    """Refuse more rows than a sheet has."""
    if rows > MAX_ROWS:
        raise WriteProblem(
            N_("A spreadsheet holds at most %(limit)s rows; there are more."),
            N_("Narrow the filters, or choose CSV, which has no limit."),
            limit=f"{MAX_ROWS:,}",
            rows=rows,
        )


def _build_shell(sample: Batch, columns: Sequence[Column], info: ExportInfo) -> zipfile.ZipFile:
    """Let XlsxWriter build the workbook, with one empty cell per column below the header."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - web does not load it

    buffer = io.BytesIO()
    workbook = Workbook(buffer, {"constant_memory": True})
    workbook.set_properties({"title": info.title, "created": info.generated_at.replace(tzinfo=None)})
    sheet = workbook.add_worksheet(info.resource[:31])
    sheet.freeze_panes(1, 0)
    bold = workbook.add_format({"bold": True, "bottom": 1})
    styles = {kind: workbook.add_format({"num_format": form}) for kind, form in NUMBER_FORMATS.items()}
    for index, column in enumerate(columns):
        sheet.set_column(index, index, _get_width([row[index] for row in sample], column))
        sheet.write_string(0, index, column.name, bold)
    for index, column in enumerate(columns):
        sheet.write_blank(1, index, None, styles.get(type(column.type)))
    workbook.close()
    return zipfile.ZipFile(buffer)


def _get_width(values: Sequence[Any], column: Column) -> int:
    """Return the width in characters that shows most values, within reason."""
    longest = max(map(len, format_values(values, column.type, PLAIN)), default=0)
    return min(60, max(8, longest, len(column.name)) + 2)


class _Sheet:
    """The sheet's XML: what XlsxWriter wrote before and after the rows, and the rows in between."""

    def __init__(self, xml: str, columns: Sequence[Column], info: ExportInfo) -> None:
        before, row, after = re.split(r'(<row r="2".*?</row>|(?=</sheetData>))', xml, maxsplit=1)
        cells = re.findall(r'<c r="([A-Z]+)2"(?: s="(\d+)")?', row)
        styles = {letter: int(style or 0) for letter, style in cells}
        self._letters = re.findall(r'<c r="([A-Z]+)1"', xml)
        self._columns = [
            (column, letter, styles.get(letter, 0))
            for column, letter in zip(columns, self._letters, strict=True)
        ]
        self._before = re.sub("<dimension[^>]*/>", "", before)  # optional, and not known yet
        self._after = after
        self._zone = info.zone
        self.reset()

    def reset(self) -> None:
        """Begin again below the header."""
        self.rows = self.replaced = 0

    def write(self, batches: Iterable[Batch], target: IO[bytes]) -> None:
        """Write the whole sheet."""
        target.write(self._before.encode())
        for batch in batches:
            target.write(self.format_batch(batch))
        target.write(self._after.replace("</sheetData>", f"</sheetData>{self._filter()}").encode())

    def _filter(self) -> str:
        return f'<autoFilter ref="A1:{self._letters[-1]}{self.rows + 1}"/>'

    def format_batch(self, batch: Batch) -> bytes:
        """Format the rows of a batch, counting them."""
        check_rows(self.rows + len(batch))
        cells = [
            self._format_column(batch, values, *column)
            for values, column in zip(zip(*batch, strict=True), self._columns, strict=False)
        ]
        rows = enumerate(zip(*cells, strict=True), start=self.rows + 2)
        self.rows += len(batch)
        return self._encode("".join(_number(rows)))

    def _format_column(
        self, batch: Batch, values: Sequence[Any], column: Column, letter: str, style: int
    ) -> list[str]:
        try:
            return format_cells(values, column, letter, style, self._zone)
        except TooLong as error:
            raise WriteProblem(
                N_("%(column)s of “%(record)s” has %(length)s characters; a cell holds at most %(limit)s."),
                N_("Shorten it, leave the column out, or choose another format."),
                column=column.label,
                record=str(batch[error.index][0])[:80],
                length=f"{error.length:,}",
                limit=f"{MAX_TEXT:,}",
            ) from None

    def _encode(self, text: str) -> bytes:
        """Encode, replacing what neither UTF-8 nor XML can hold; Excel escapes do not help there."""
        try:
            if "\ufffe" not in text and "\uffff" not in text:
                return text.encode()
        except UnicodeEncodeError:
            pass
        text, count = _INVALID.subn(REPLACEMENT, text)
        self.replaced += count
        return text.encode()


def _number(rows: Iterable[tuple[int, tuple[str, ...]]]) -> Iterator[str]:
    for number, cells in rows:
        yield f'<row r="{ROW}">{"".join(cells)}</row>'.replace(ROW, str(number))
