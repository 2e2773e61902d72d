"""The apply of an import: every row checked again and saved, batch by batch, exactly once."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from sqlalchemy import update
from sqlalchemy.orm import Session

from webapp.database import give_way, large_cache
from webapp.extensions import db
from webapp.models import DataImport
from webapp.models.base import utc_now
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import N_
from webapp.resources.types import Problem
from webapp.services.import_abort import FailedRow, begin_take_back, take_back
from webapp.services.import_at_once import prepare, refuse_bad_rows, try_out
from webapp.services.import_batches import BatchSize
from webapp.services.import_check import make_context
from webapp.services.import_fixed import FixedSource
from webapp.services.import_inspect import get_of_job
from webapp.services.import_row_errors import clear_lines, clear_row_errors, write_row_errors
from webapp.services.import_saving import save_file_rows
from webapp.services.import_source import RowSource
from webapp.services.job_protocol import JobRun
from webapp.services.records import SaveContext
from webapp.services.seen_keys import SeenKeys


def run_import(run: JobRun) -> None:
    """Check and save every row, batch by batch; resumes after its checkpoint."""
    data_import = get_of_job(run)
    if (failed := FailedRow.from_checkpoint(run.checkpoint)) is not None:
        take_back(run, failed)
    if data_import.undone_to is not None:
        raise Problem(N_("This import was taken back. Upload the file again to import it once more."))
    if run.params.get("rows") == "fixed":
        Importer(run, FixedSource(data_import)).save_all()
        return
    if data_import.state == "uploaded":
        prepare(run, data_import)
    if data_import.state != "applying":
        raise Problem(N_("This import does not wait to be applied. Check the file first."))
    source = RowSource(data_import)
    if source.options["dry_run"]:
        try_out(run, source)
        return
    run.set_total(data_import.row_count)
    if not run.checkpoint:
        if run.params.get("at_once") and source.options["on_error"] == "abort":
            refuse_bad_rows(run, source)
        clear_row_errors(run)
    Importer(run, source).save_all()


class RowFailed(Exception):
    """A row cannot be saved where all of them must be."""

    def __init__(self, row: CheckedRow) -> None:
        super().__init__(row.line)
        self.row = row


class Importer:
    """One try at saving the rows of a source."""

    def __init__(self, run: JobRun, source: RowSource) -> None:
        self.run = run
        self.source = source
        self.source.is_ahead = db.engine.dialect.name == "postgresql"  # SQLite works in this process
        self.size = BatchSize(run)

    def save_all(self) -> None:
        """Save every batch with its errors, counts and checkpoint in one transaction, then end the job."""
        context = make_context(self.run, self.source)
        try:
            with large_cache():
                for rows in self.source.read(int(self.run.checkpoint.get("line", 0))):
                    self._save_rows(rows, context)
        except RowFailed as failure:
            take_back(self.run, begin_take_back(self.run, failure.row))
        self._finish()

    def _save_rows(self, rows: Sequence[CheckedRow], context: SaveContext) -> None:
        for batch in self.size.cut(rows):
            with self.size.measured():
                known = context.seen.copy()
                self.run.in_batch(partial(self._save_batch, batch=batch, context=context, known=known))
            give_way()

    def _save_batch(
        self, session: Session, batch: Sequence[CheckedRow], context: SaveContext, known: SeenKeys
    ) -> None:
        # Rows and a memory of its own for each try: a rolled back one leaves nothing behind.
        context.seen = known.copy()
        rows = [
            CheckedRow(row.line, dict(row.values), list(row.problems), row.raw, row.columns) for row in batch
        ]
        plans = save_file_rows(session, self.source, rows, context)
        failed = [plan.row for plan in plans if plan.action == "failed"]
        if failed and self.source.options["on_error"] == "abort":
            raise RowFailed(failed[0])
        if self.source.has_old_errors:
            clear_lines(session, self.run, [row.line for row in batch])
        write_row_errors(session, self.run, failed)
        for action, count in Counter(plan.action for plan in plans).items():
            self.run.counts[action] += count
        self.run.processed += len(plans)
        self.run.checkpoint = {"line": batch[-1].line}

    def _finish(self) -> None:
        done = self.run.counts["created"] + self.run.counts["updated"]
        with self.run.batch() as session:
            now = utc_now()
            session.execute(
                update(DataImport)
                .where(DataImport.id == self.run.data_import_id)
                .values(state="applied", updated_at=now, applied_at=now)
            )
            self.run.complete(session, record_count=done, total=self.run.processed)
