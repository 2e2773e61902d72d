"""The rows of an import that a person has corrected, as a source to be applied."""

from collections.abc import Iterator

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import DataImport, ImportRowError
from webapp.pipeline.check import CheckedRow
from webapp.services.import_source import CHUNK_ROWS, RowSource


class FixedSource(RowSource):
    """Failed rows with their corrections. Each takes its old errors away when it is tried again."""

    has_old_errors = True

    def __init__(self, data_import: DataImport) -> None:
        super().__init__(data_import)
        self.options["on_error"] = "skip"
        db.session.rollback()

    def read(self, after_line: int = 0) -> Iterator[list[CheckedRow]]:
        """Yield the corrected rows below a line."""
        while True:
            query = (
                select(ImportRowError.line, ImportRowError.row, ImportRowError.fixes)
                .where(
                    ImportRowError.data_import_id == self.import_id,
                    ImportRowError.fixes.is_not(None),
                    ImportRowError.line > after_line,
                )
                .order_by(ImportRowError.line)
                .limit(CHUNK_ROWS)
            )
            found = db.session.execute(query).all()
            db.session.rollback()
            if not found:
                return
            yield self.check([(row.line, {**row.row, **row.fixes}) for row in found])
            after_line = found[-1].line
