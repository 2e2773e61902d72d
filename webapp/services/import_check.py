"""The check of an import: every row as it would be saved, nothing written but what was found."""

import time

from sqlalchemy.orm import Session

from webapp.extensions import db
from webapp.models import DataImport
from webapp.models.base import utc_now
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import N_
from webapp.resources.types import Problem
from webapp.services.import_inspect import get_of_job
from webapp.services.import_report import CheckReport
from webapp.services.import_row_errors import clear_row_errors, write_row_errors
from webapp.services.import_saving import save_file_rows
from webapp.services.import_source import RowSource
from webapp.services.job_protocol import JobRun
from webapp.services.records import SaveContext
from webapp.services.stock import StockLedger

WRITE_SECONDS = 0.25
WAITING_ERRORS = 2_000
CHUNK_ROWS = 5_000  # nobody waits for a check to let go, and each chunk asks its questions once


def run_check(run: JobRun) -> None:
    """Read the whole file and report what would happen. A check that was cut off begins anew."""
    data_import = get_of_job(run)
    if data_import.state not in ("inspected", "checked"):
        raise Problem(N_("This import was already started; it is not checked again."))
    source = RowSource(data_import)
    run.set_total(data_import.row_count)
    report = check_all(run, source)
    with run.batch() as session:
        keep_report(session, run, report, state="checked")
        run.complete(session, record_count=run.processed, total=run.processed)


def check_all(run: JobRun, source: RowSource) -> CheckReport:
    """Check every row of a file as it would be saved now, and keep what is wrong with them."""
    clear_row_errors(run)
    report = CheckReport(run.task_id, source)
    run.counts = dict(report.counts)
    run.processed = 0
    context = make_context(run, source, is_dry=True)
    waiting: list[CheckedRow] = []
    written = time.monotonic()
    source.chunk_rows = CHUNK_ROWS
    for rows in source.read():
        plans = save_file_rows(db.session(), source, rows, context)
        db.session.rollback()
        waiting += report.add(plans)
        run.counts = dict(report.counts)
        run.processed += len(plans)
        if len(waiting) >= WAITING_ERRORS or time.monotonic() - written > WRITE_SECONDS:
            _write(run, waiting)
            waiting, written = [], time.monotonic()
    _write(run, waiting)
    report.finish(context)
    return report


def keep_report(session: Session, run: JobRun, report: CheckReport, *, state: str) -> None:
    """Store what a check has found, and where the import stands now."""
    found = session.get_one(DataImport, run.data_import_id)
    found.report = {**(found.report or {}), "check": report.to_json(session)}
    found.state = state
    found.updated_at = utc_now()
    session.flush()  # the end of a job forgets what is not written yet


def _write(run: JobRun, rows: list[CheckedRow]) -> None:
    with run.batch(is_progress=False) as session:  # begun anew after a crash: no crash may be forgotten
        write_row_errors(session, run, rows)


def make_context(run: JobRun, source: RowSource, *, is_dry: bool = False) -> SaveContext:
    """Return how the rows of an import are saved, by its options."""
    return SaveContext(
        actor_id=run.user_id,
        source="import",
        job_id=run.id,
        mode=source.options["mode"],
        empty=source.options.get("empty", "keep"),
        repeated=source.options.get("repeated", "error"),
        all_or_nothing=source.options["on_error"] == "abort",
        create_missing=frozenset(source.options.get("create_missing", ())),
        is_dry=is_dry,
        ledger=StockLedger(is_dry=True) if is_dry else None,
    )
