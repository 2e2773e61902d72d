"""PDF: a table on A4 landscape, drawn by WeasyPrint in pieces of some hundred rows.

Lines and pages are laid out here, so that two short-lived processes can each draw a piece without
knowing the others, and the pieces are put together as they come. Memory is that of a few pieces.
"""

import ctypes
import ctypes.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from webapp.pipeline.pdf_fonts import find_fonts
from webapp.pipeline.pdf_merge import PdfMerger
from webapp.pipeline.pdf_pages import Page
from webapp.pipeline.pdf_table import Table
from webapp.pipeline.pdf_workers import PdfWorkers
from webapp.pipeline.write_base import Batch, Column, ExportInfo, WriteProblem, WriteResult
from webapp.resources.base import N_
from webapp.resources.types import Problem

SAMPLE_ROWS = 500  # decide the widths of the columns
PAGES_PER_PIECE = 6  # some 250 rows; twice as many take 4 MB more in each process, and hardly less time
LIBRARIES = {  # what WeasyPrint opens, and the file's name on Linux
    "gobject-2.0": "libgobject-2.0.so.0",
    "pango-1.0": "libpango-1.0.so.0",
    "pangoft2-1.0": "libpangoft2-1.0.so.0",
    "harfbuzz": "libharfbuzz.so.0",
    "fontconfig": "libfontconfig.so.1",
}
PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def write(
    batches: Iterable[Batch],
    columns: Sequence[Column],
    file: BinaryIO,
    info: ExportInfo,
    options: Mapping[str, Any],
) -> WriteResult:
    """Write the table. WriteProblem where this machine cannot draw PDFs, PdfError if drawing fails."""
    check_available()
    iterator = iter(batches)
    sample = _take(iterator, SAMPLE_ROWS)
    rows = list(chain.from_iterable(sample))[:SAMPLE_ROWS]
    table = Table(columns, info, rows, is_full=options["long_text"] == "full")
    document = table.document
    merger = PdfMerger(file)
    with PdfWorkers(document.get_stylesheet(), document.fonts.paths) as workers:
        for pages in _group(table.lay_out(chain(sample, iterator))):
            workers.draw(document.render(pages), merger.append)
        workers.finish()
        workers.draw(document.render_total(merger.pages), partial(_complete, merger, info))
        workers.finish()
    return WriteResult(table.rows, table.notes)


def _take(batches: Iterator[Batch], rows: int) -> list[Batch]:
    """Return the first batches that together have this many rows."""
    taken: list[Batch] = []
    for batch in batches:
        taken.append(batch)
        rows -= len(batch)
        if rows <= 0:
            break
    return taken


def _group(pages: Iterable[Page]) -> Iterator[list[Page]]:
    """Yield the pages of one piece after the other."""
    group: list[Page] = []
    for page in pages:
        group.append(page)
        if len(group) == PAGES_PER_PIECE:
            yield group
            group = []
    if group:
        yield group


def _complete(merger: PdfMerger, info: ExportInfo, total: Path) -> None:
    """Complete the file with the drawing of the number of pages, which is known now."""
    merger.finish(total, title=info.title, language=info.language, created=info.generated_at.astimezone(UTC))


def check_available() -> None:
    """Raise WriteProblem, with what to install, where PDFs cannot be drawn."""
    reason = pdf_unavailable_reason()
    if reason is not None:
        raise WriteProblem(reason.message, reason.advice, **reason.params)


@cache
def pdf_unavailable_reason() -> Problem | None:
    """Return why PDFs cannot be drawn here, with advice, or None. WeasyPrint is not imported."""
    missing = [name for name, file in LIBRARIES.items() if not _has_library(name, file)]
    if missing:
        return Problem(
            N_("PDF needs system libraries that are missing: %(libraries)s."),
            N_("Install the packages %(packages)s and restart the worker."),
            libraries=", ".join(missing),
            packages=PACKAGES,
        )
    try:
        find_fonts()
    except Problem as problem:
        return problem
    return None


def _has_library(name: str, file: str) -> bool:
    try:
        ctypes.CDLL(file)
    except OSError:  # another system names its files otherwise
        return ctypes.util.find_library(name) is not None
    return True
