"""The one pass over all rows when a file is inspected: it counts them and gathers evidence by column."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from webapp.pipeline.limits import Limits
from webapp.pipeline.problems import Notice, ReadProblem, make_notice
from webapp.pipeline.read_evidence import ColumnEvidence
from webapp.pipeline.read_fit import Batch
from webapp.pipeline.read_header import count_used, find_footer
from webapp.resources.base import N_

_TAIL = 5  # records at the end among which a footer is looked for
SAMPLE_ROWS = 20


@dataclass
class Survey:
    """What all rows together showed. ``footer_line`` is 0 where there is no footer."""

    evidence: list[ColumnEvidence]
    rows: int = 0
    problems: int = 0
    first_problem: int = 0
    footer_line: int = 0
    notices: list[Notice] = field(default_factory=list)
    sample: list[tuple[int, Sequence[str]]] = field(default_factory=list)

    def keep_named(self, names: Sequence[str], renamed: Sequence[Notice]) -> int:
        """Forget the columns at the end that have neither name nor value; return how many are left."""
        count = count_used(names, renamed, [evidence.is_empty for evidence in self.evidence])
        del self.evidence[count:]
        self.sample = [(line, row[:count]) for line, row in self.sample]
        self.notices.extend(notice for notice in renamed if notice["params"]["position"] <= count)
        return count


def survey_rows(batches: Iterable[Batch], width: int, limits: Limits, *, footer: bool = True) -> Survey:
    """Look at every row of ``width`` cells; ``footer`` says whether the last ones may be no rows."""
    survey = Survey([ColumnEvidence() for _ in range(width)])
    tail: deque[tuple[int, Sequence[str]]] = deque(maxlen=_TAIL)
    for batch in batches:
        if not batch.rows:
            continue
        survey.rows += len(batch.rows)
        if survey.rows > limits.max_rows:
            raise _too_many_rows(batch.lines[limits.max_rows - survey.rows], limits)
        for evidence, values in zip(survey.evidence, zip(*batch.rows, strict=True), strict=True):
            evidence.add(values, batch.lines)
        survey.problems += len(batch.problems)
        if batch.problems and not survey.first_problem:
            survey.first_problem = min(batch.problems)
        pairs = list(zip(batch.lines[-_TAIL:], batch.rows[-_TAIL:], strict=True))
        tail.extend(pairs)
        if len(survey.sample) < SAMPLE_ROWS:
            wanted = SAMPLE_ROWS - len(survey.sample)
            survey.sample.extend(zip(batch.lines[:wanted], batch.rows[:wanted], strict=True))
    if footer:
        _take_off_footer(survey, tail)
    _tell_about_rows(survey)
    return survey


def _take_off_footer(survey: Survey, tail: Iterable[tuple[int, Sequence[str]]]) -> None:
    last = list(tail)
    survey.footer_line, text = find_footer(last)
    if not survey.footer_line:
        return
    survey.rows -= sum(1 for line, _ in last if line >= survey.footer_line)
    survey.sample = [(line, row) for line, row in survey.sample if line < survey.footer_line]
    message = N_("Line %(line)s (“%(text)s”) reads like a footer; from there on nothing is taken as a row.")
    survey.notices.append(make_notice(message, line=survey.footer_line, text=text))


def _tell_about_rows(survey: Survey) -> None:
    if not survey.rows:
        survey.notices.append(make_notice(N_("The file has a header, but no rows below it.")))
    if survey.problems:
        message = N_("Rows that cannot be read as they stand: %(count)s (the first is on line %(line)s).")
        survey.notices.append(make_notice(message, count=survey.problems, line=survey.first_problem))


def _too_many_rows(line: int, limits: Limits) -> ReadProblem:
    return ReadProblem(
        N_("The file has more than %(limit)s rows; line %(line)s begins the next."),
        N_("Split it into several files."),
        line=line,
        limit=limits.max_rows,
    )
