"""How long a PDF will be, and how long it will take, said before anybody waits for it.

The figures were measured with ``python -m bench.exports`` on demo products, whose titles and descriptions
wrap like those of a real shop. Texts decide how many lines a row takes, so this is a rough guide.
"""

import math

LINES_PER_ROW = 1.5
LINES_PER_PAGE = 40
START_SECONDS = 1.5  # two processes start and read their fonts
SECONDS_PER_LINE = 0.0002  # drawn by two processes on two cores
SECONDS_PER_CELL = 0.00003


def estimate_pdf(rows: int, columns: int) -> tuple[int, int]:
    """Return how many pages a PDF will have and how many seconds it takes on two cores, roughly."""
    lines = rows * LINES_PER_ROW
    pages = math.ceil(lines / LINES_PER_PAGE) or 1
    seconds = START_SECONDS + lines * (SECONDS_PER_LINE + SECONDS_PER_CELL * columns)
    return pages, math.ceil(seconds)
