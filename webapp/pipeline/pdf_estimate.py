"""How long a PDF will be, and how long it will take, said before anybody waits for it.

The figures were measured on demo products, whose titles and descriptions wrap like those of a real shop:
3,000 of them with 3, 6 and 10 columns take 1.0, 1.2 and 2.1 lines each. Texts decide, so this is a rough guide.
"""

import math

ROOMY_COLUMNS = 5  # so many fit side by side without wrapping; each more takes room from the texts
LINES_PER_COLUMN = 0.22
LINES_PER_PAGE = 40
START_SECONDS = 1.5  # two processes start and read their fonts
SECONDS_PER_LINE = 0.0002  # drawn by two processes on two cores
SECONDS_PER_CELL = 0.00003


def estimate_pdf(rows: int, columns: int) -> tuple[int, int]:
    """Return how many pages a PDF will have and how many seconds it takes on two cores, roughly."""
    lines = rows * (1 + LINES_PER_COLUMN * max(0, columns - ROOMY_COLUMNS))
    pages = math.ceil(lines / LINES_PER_PAGE) or 1
    seconds = START_SECONDS + lines * (SECONDS_PER_LINE + SECONDS_PER_CELL * columns)
    return pages, math.ceil(seconds)
