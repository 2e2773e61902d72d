"""What was wrong with the rows of an import, written with its batches and cleared before the next try."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from webapp.extensions import db
from webapp.models import ImportRowError
from webapp.pipeline.check import CheckedRow
from webapp.services.job_protocol import JobRun

CLEARED_AT_ONCE = 5_000
VALUE_LENGTH = 1_000
COLUMN_LENGTH = 255


def write_row_errors(session: Session, run: JobRun, rows: Iterable[CheckedRow]) -> None:
    """Keep the problems of rows that were not taken, each row with its first problem."""
    values = [value for row in rows for value in _describe(run, row)]
    if values:
        session.execute(insert(ImportRowError.__table__), values)  # type: ignore[arg-type]  # a Table


def _describe(run: JobRun, row: CheckedRow) -> Iterator[dict[str, Any]]:
    for place, item in enumerate(row.problems):
        yield {
            "data_import_id": run.data_import_id,
            "job_id": run.id,
            "line": row.line,
            "column": item.column[:COLUMN_LENGTH] or None,
            "value": item.value[:VALUE_LENGTH] or None,
            "message": item.problem.message,
            "advice": item.problem.advice,
            "params": item.problem.params,
            "row": dict(row.raw) if place == 0 else None,
        }


def clear_lines(session: Session, run: JobRun, lines: Sequence[int]) -> None:
    """Remove what was said about some lines: they are tried again."""
    session.execute(
        delete(ImportRowError)
        .where(ImportRowError.data_import_id == run.data_import_id, ImportRowError.line.in_(lines))
        .execution_options(synchronize_session=False)
    )


def clear_row_errors(run: JobRun) -> None:
    """Remove what earlier checks and tries have said, a few thousand in a transaction."""
    old = select(ImportRowError.id).where(ImportRowError.data_import_id == run.data_import_id)
    while ids := db.session.scalars(old.limit(CLEARED_AT_ONCE)).all():
        with run.batch(is_progress=False) as session:
            session.execute(delete(ImportRowError).where(ImportRowError.id.in_(ids)))
    db.session.rollback()
