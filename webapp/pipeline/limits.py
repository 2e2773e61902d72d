"""How much of a file is taken. Each limit is a setting, and each has a message of its own."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """The largest file that is read.

    ``max_bytes`` counts the file as uploaded and ``max_inflated_bytes`` an XLSX unpacked, both in
    bytes; ``max_cell_length`` counts characters (the default is Excel's own limit).

    ``max_sheet_area`` counts the cells in the rectangle that a sheet uses, empty ones included: the XLSX
    reader lays it out whole (measured: some 110 bytes a cell, of a table with much text, so that a worker
    stays below 300 MB with a million; and a workbook of 5 kB with one value in its last cell made it ask
    for 550 GB). ``max_sheet_bytes`` counts a sheet unpacked, the workbook's shared texts, and these once
    more for each cell that shows one: the reader copies them (measured: 20,000 cells that share one text
    of 32,000 characters, 280 kB as a file, took 1.2 GB).
    """

    max_bytes: int = 512 * MEBIBYTE
    max_rows: int = 2_000_000
    max_columns: int = 500
    max_cell_length: int = 32_767
    max_inflated_bytes: int = 1024 * MEBIBYTE
    max_sheet_area: int = 1_000_000
    max_sheet_bytes: int = 128 * MEBIBYTE

    @property
    def max_line_length(self) -> int:
        """Characters of one physical line: what several of the longest cells take, 4 Mi at least.

        A file without line breaks would otherwise have to be held in memory whole.
        """
        return max(4 * MEBIBYTE, 16 * self.max_cell_length)
