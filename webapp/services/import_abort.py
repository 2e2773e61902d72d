"""Taking back, within the same job, what an import has applied when one of its rows fails after all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NoReturn, Self

from sqlalchemy import delete, update

from webapp.models import DataImport, ImportJob
from webapp.models.base import utc_now
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import N_
from webapp.resources.types import Problem
from webapp.services.import_kept import count_kept, forget_kept
from webapp.services.import_reversal import Reversal
from webapp.services.import_row_errors import write_row_errors
from webapp.services.job_protocol import JobRun

NAME = "take_back"  # in the job's checkpoint


@dataclass(frozen=True)
class FailedRow:
    """The row that stopped an import, as it is kept in the job's checkpoint until the job has failed."""

    line: int
    message: str
    advice: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_checkpoint(cls, checkpoint: Mapping[str, Any]) -> Self | None:
        """Return the row of a job that was taking back what it had done."""
        return cls(**checkpoint[NAME]) if NAME in checkpoint else None


def begin_take_back(run: JobRun, row: CheckedRow) -> FailedRow:
    """From here on the job goes backwards, whoever carries it on."""
    first = row.problems[0].problem
    failed = FailedRow(row.line, first.message, first.advice, first.params)
    with run.batch() as session:
        forget_kept(session, run.data_import_id)
        write_row_errors(session, run, [row])
        run.checkpoint = {**run.checkpoint, NAME: asdict(failed)}
    return failed


def take_back(run: JobRun, failed: FailedRow) -> NoReturn:
    """Take back what this job has applied, batch by batch, then fail and name the line."""
    Reversal(run, [run.id]).reverse_all()
    with run.batch() as session:
        kept = count_kept(session, run.data_import_id)
        run.counts = {**dict.fromkeys(run.counts, 0), "failed": 1}
        run.processed = 0
        session.execute(delete(ImportJob).where(ImportJob.job_id == run.id))
        session.execute(
            update(DataImport)
            .where(DataImport.id == run.data_import_id)
            .values(state="inspected", undone_to=None, updated_at=utc_now())
        )
    raise _describe(failed, kept)


def _describe(failed: FailedRow, kept: int) -> Problem:
    reason = Problem(failed.message, failed.advice, **failed.params)
    if kept:
        message = N_(
            "Line %(line)s could no longer be saved: %(reason)s The rows before it were taken back,"
            " but %(kept)s records that are used or were changed meanwhile stay."
        )
    else:
        message = N_("Line %(line)s could no longer be saved: %(reason)s The rows before it were taken back.")
    return Problem(
        message, N_("Correct the line and check the file again."), line=failed.line, reason=reason, kept=kept
    )
