"""Where the header is, what its columns are called, and where a footer begins."""

import re
from collections.abc import Iterable, Sequence

from webapp.pipeline.limits import Limits
from webapp.pipeline.problems import Notice, ReadProblem, make_notice
from webapp.pipeline.read_fit import is_blank
from webapp.resources.base import N_

_FILLED_SHARE = 0.6
_FOOTER_WORD = re.compile(
    r"(grand |sub-?|sub )?(totals?|totais|totales|sum|soma|suma|somme|summe|gesamt|gesamtsumme)( geral| general)?\s*:?",
    re.IGNORECASE,
)
_FOOTER_COUNT = re.compile(
    r"\(?\s*\d[\d.,]*\s+(rows?|records?|lines?|linhas?|registros?|filas?|zeilen|lignes?)\b[^)]*\)?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[-+(]?\s*(R\$|US\$|[$€£])?\s*[-+]?\d[\d.,\s]*\s*[%€)]?")


def find_header(records: Iterable[tuple[int, Sequence[str]]]) -> int:
    """Return the line of the header among the first records (line, cells).

    Titles and dates above a table fill one cell or two. The header is the first record in which at
    least 60 % of the usual number of cells are filled.
    """
    filled = [(line, _count_filled(row)) for line, row in records if not is_blank(row)]
    if not filled:
        raise ReadProblem(N_("The file has no header."), N_("Put the column names in the first line."))
    counts = sorted(count for _, count in filled)
    usual = counts[len(counts) // 2] if len(counts) > 2 else counts[-1]
    return next((line for line, count in filled if count >= usual * _FILLED_SHARE), filled[0][0])


def name_columns(cells: Sequence[str], limits: Limits) -> tuple[list[str], list[Notice]]:
    """Return a unique name for each cell of the header; empty and repeated ones get a notice."""
    if len(cells) > limits.max_columns:
        raise ReadProblem(
            N_("The file has %(columns)s columns; at most %(limit)s are allowed."),
            N_("Remove columns that are not needed."),
            columns=len(cells),
            limit=limits.max_columns,
        )
    wanted = [_clean_name(cell) for cell in cells]
    taken = set(wanted)
    names: list[str] = []
    notices: list[Notice] = []
    for position, name in enumerate(wanted, start=1):
        if name and name not in names:
            names.append(name)
            continue
        new = _make_unique(name or f"column {position}", taken)
        taken.add(new)
        names.append(new)
        notices.append(_rename_notice(name, position, new))
    return names, notices


def count_used(names: Sequence[str], renamed: Iterable[Notice], is_empty: Sequence[bool]) -> int:
    """Return how many columns are left without those at the end that have neither name nor value."""
    unnamed = {notice["params"]["position"] for notice in renamed if "name" not in notice["params"]}
    count = len(names)
    while count > 1 and count in unnamed and is_empty[count - 1]:
        count -= 1
    return count


def find_footer(rows: Sequence[tuple[int, Sequence[str]]]) -> tuple[int, str]:
    """Return the line on which the footer starts among the last records, and its text; 0 where none is."""
    footer, text = 0, ""
    for line, row in reversed(rows):
        if not is_footer(row):
            break
        footer, text = line, next(cell.strip() for cell in row if cell.strip())
    return footer, text


def is_footer(row: Sequence[str]) -> bool:
    """Whether a record reads like ``Total;;;123`` or ``(77 rows)`` rather than like data."""
    cells = [cell.strip() for cell in row if cell.strip()]
    if not cells:
        return False
    first, rest = cells[0], cells[1:]
    if _FOOTER_COUNT.fullmatch(first) and not rest:
        return len(row) > 1 or first.startswith("(")
    sparse = len(cells) < len(row) or (len(row) == 2 and bool(rest))
    return bool(_FOOTER_WORD.fullmatch(first)) and sparse and all(_NUMBER.fullmatch(cell) for cell in rest)


def _count_filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _clean_name(cell: str) -> str:
    return " ".join(cell.replace("\ufeff", "").split())


def _make_unique(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"


def _rename_notice(name: str, position: int, new: str) -> Notice:
    if not name:
        return make_notice(
            N_("Column %(position)s has no name; it is called “%(new)s” here."), position=position, new=new
        )
    return make_notice(
        N_("The column name “%(name)s” occurs more than once; column %(position)s is called “%(new)s” here."),
        name=name,
        position=position,
        new=new,
    )
