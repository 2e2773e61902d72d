"""Which delimiter and quotes a CSV file uses: the candidates read a sample, the most regular table wins."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from webapp.pipeline.csv_form import CsvForm
from webapp.pipeline.read_fit import Batch, is_blank
from webapp.pipeline.read_tokens import read_tokens

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_CHARACTERS = 128 * 1024
# A delimiter that no text holds: the whole line is one cell.
NO_DELIMITER = "\x1f"
# Dumps with these delimiters often know no quotes at all, so that one in a cell is an inch sign.
_UNQUOTED = ("\t", "|")
_MIN_SHARE = 0.6
_PREAMBLE_PENALTY = 0.7
_MAX_CELLS = 5000
_SEP_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
# A delimiter inside a cell speaks against the candidate, unless it reads like a sentence or a number.
_FOREIGN = re.compile(r",(?![ \d])|[;|](?! )|\t")


class Sample(NamedTuple):
    """The first physical lines of the file, line ends kept; ``whole`` when there are no more."""

    lines: list[str]
    whole: bool


@dataclass(frozen=True, order=True)
class Score:
    """How well a form fits the sample; the larger the better."""

    quality: float
    width: int


def detect_form(sample: Sample, given: CsvForm, fixed: Sequence[str] = ()) -> CsvForm:
    """Return the form that reads the sample best; the properties named in ``fixed`` stay as given."""
    sep = _SEP_LINE.fullmatch(sample.lines[0]) if sample.lines else None
    if "delimiter" in fixed:
        best, score = given, score_form(sample, given)
    elif sep:
        best = replace(given, delimiter=sep[1])
        score = score_form(sample, best)
    else:
        best, score = _detect_delimiter(sample, given)
    for variant in _list_variants(sample, best, fixed):
        other = score_form(sample, variant)
        if other and (score is None or other.quality > score.quality):
            best, score = variant, other
    return best


def score_form(sample: Sample, form: CsvForm) -> Score | None:
    """Return how well the form fits, or None when it finds no table of two columns or more."""
    rows, problems = read_sample(sample, form)
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return None
    width = max(widths, key=lambda one: (widths[one], one))
    start = next(index for index, row in enumerate(rows) if len(row) == width)
    table = rows[start:]
    share = widths[width] / len(table)
    if share < _MIN_SHARE or _is_prose(form.delimiter, start, table):
        return None
    quality = share * _get_cleanness(table, form.delimiter) * (1 - problems / len(rows))
    return Score(quality * (_PREAMBLE_PENALTY if start else 1), width)


def read_sample(sample: Sample, form: CsvForm) -> tuple[list[Sequence[str]], int]:
    """Return the sample's records that are not blank, and how many of them have problems."""
    batches = read_lines(sample, form)
    rows = [row for batch in batches for row in batch.rows if not is_blank(row)]
    return rows, sum(len(batch.problems) for batch in batches)


def read_lines(sample: Sample, form: CsvForm, first_line: int = 1) -> list[Batch]:
    """Return the records of the sample; one that its end cuts in two is left out."""
    batches = list(read_tokens(iter([sample.lines[first_line - 1 :]]), form, first_line))
    if not sample.whole and batches and batches[-1].problems:
        last = max(batches[-1].problems)
        keep = [line < last for line in batches[-1].lines]
        kept = [row for row, is_kept in zip(batches[-1].rows, keep, strict=True) if is_kept]
        problems = {line: problem for line, problem in batches[-1].problems.items() if line < last}
        batches[-1] = Batch([line for line in batches[-1].lines if line < last], kept, problems)
    return batches


def _detect_delimiter(sample: Sample, given: CsvForm) -> tuple[CsvForm, Score | None]:
    forms = [replace(given, delimiter=delimiter) for delimiter in DELIMITERS]
    scored = [(score, form) for form in forms if (score := score_form(sample, form))]
    if scored:
        score, form = max(scored, key=lambda pair: pair[0])
        return form, score
    for form in forms:  # one column: a delimiter that leaves every line whole
        if all(len(row) == 1 for row in read_sample(sample, form)[0]):
            return form, None
    return replace(given, delimiter=NO_DELIMITER), None


def _list_variants(sample: Sample, form: CsvForm, fixed: Sequence[str]) -> list[CsvForm]:
    """Return the rarer habits that the sample gives a reason to try."""
    text = "".join(sample.lines)
    delimiter = re.escape(form.delimiter)
    variants = []
    if "escape" not in fixed and '\\"' in text:
        variants.append(replace(form, escape="\\"))
    if "quote" not in fixed:
        if form.delimiter in _UNQUOTED and not _count_quoted(text, delimiter, '"'):
            variants.append(replace(form, quote=""))
        if '"' not in text and _count_quoted(text, delimiter, "'") > 1:
            variants.append(replace(form, quote="'"))
    if re.search(rf'{delimiter} +"', text):
        variants.append(replace(form, padded=True))
        if '\\"' in text:
            variants.append(replace(form, padded=True, escape="\\"))
    return variants


def _count_quoted(text: str, delimiter: str, quote: str) -> int:
    """Return how many cells are well quoted, on one line; ``delimiter`` comes escaped."""
    cell = rf"(?:^|{delimiter}){quote}[^{quote}\r\n]*{quote}(?={delimiter}|[\r\n]|\Z)"
    return len(re.findall(cell, text, re.MULTILINE))


def _is_prose(delimiter: str, start: int, table: list[Sequence[str]]) -> bool:
    """Whether this is one column of texts such as ``Smith, John`` under a header without comma."""
    return delimiter == "," and start > 0 and all(row[1].startswith(" ") for row in table if len(row) > 1)


def _get_cleanness(table: list[Sequence[str]], delimiter: str) -> float:
    cells = [cell for row in table for cell in row][:_MAX_CELLS]
    foreign = sum(1 for cell in cells if any(sign != delimiter for sign in _FOREIGN.findall(cell)))
    return 1 - foreign / len(cells)
