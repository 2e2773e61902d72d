"""How the rows of a file are saved: as records, or as what a stock count leads to."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from webapp.pipeline.check import CheckedRow
from webapp.services.import_source import RowSource
from webapp.services.records import Plan, SaveContext, save_rows
from webapp.services.stock_counts import name_import, save_counts


def save_file_rows(
    session: Session, source: RowSource, rows: Sequence[CheckedRow], context: SaveContext
) -> list[Plan]:
    """Save a batch of a file's rows inside the caller's write transaction; return what became of each."""
    if source.resource.has_records:
        return save_rows(session, source.resource, rows, context)
    return save_counts(session, rows, context, name_import(source.import_id))
