"""Corrections of failed rows: of one, of all with the same value, and applied without the rest of the file."""

from collections.abc import Mapping

from sqlalchemy import Select, func, select

from webapp.database import write_transaction
from webapp.errors import Conflict, Invalid, NotFound
from webapp.extensions import db
from webapp.models import DataImport, ImportRowError, TaskNotification, User
from webapp.resources.base import N_
from webapp.resources.types import Problem
from webapp.services.accounts import require_role
from webapp.services.imports import get_import, is_applied, start_job

CHUNK = 500


def fix_row(actor: User, public_id: str, line: int, values: Mapping[str, str]) -> None:
    """Keep what a failed row's cells should say. Invalid names a column that the file does not have."""
    require_role(actor, "editor")
    with write_transaction() as session:
        data_import = _get_applied(actor, public_id)
        found = session.scalar(_select_rows(data_import, [line]))
        if found is None:
            raise NotFound(line)
        problems = {name: _no_column(name) for name in values if name not in (found.row or {})}
        if problems:
            raise Invalid(problems)
        found.fixes = {**(found.fixes or {}), **values}


def fix_value(actor: User, public_id: str, column: str, old: str, new: str) -> int:
    """Correct one value in all rows that failed because of it; return in how many."""
    require_role(actor, "editor")
    data_import = _get_applied(actor, public_id)
    if column not in (data_import.dialect or {}).get("columns", ()):
        raise Invalid({"column": _no_column(column)})
    lines = select(ImportRowError.line).where(
        ImportRowError.data_import_id == data_import.id,
        ImportRowError.column == column,
        ImportRowError.value.is_(None) if not old else ImportRowError.value == old,
    )
    wanted = list(db.session.scalars(lines.distinct()))
    for start in range(0, len(wanted), CHUNK):
        with write_transaction() as session:
            for row in session.scalars(_select_rows(data_import, wanted[start : start + CHUNK])):
                row.fixes = {**(row.fixes or {}), column: new}
    return len(wanted)


def start_fixed(actor: User, public_id: str) -> TaskNotification:
    """Ask for the corrected rows to be tried again. Conflict when none was corrected."""
    require_role(actor, "editor")
    with write_transaction() as session:
        data_import = _get_applied(actor, public_id)
        if not count_fixed(data_import):
            raise Conflict(N_("No row was corrected yet."))
        job = start_job(session, actor, data_import, "import", rows="fixed")
        data_import.state = "applied"  # one that was cancelled on its way is not asked for its rest any more
        return job


def count_fixed(data_import: DataImport) -> int:
    """Return how many failed rows are corrected and wait to be tried again."""
    query = select(func.count()).select_from(ImportRowError)
    is_fixed = ImportRowError.data_import_id == data_import.id, ImportRowError.fixes.is_not(None)
    return db.session.scalar(query.where(*is_fixed)) or 0


def _get_applied(actor: User, public_id: str) -> DataImport:
    data_import = get_import(actor, public_id)
    if not is_applied(data_import):
        raise Conflict(N_("Rows can be corrected once the import was applied."))
    return data_import


def _select_rows(data_import: DataImport, lines: list[int]) -> Select[ImportRowError]:
    return select(ImportRowError).where(
        ImportRowError.data_import_id == data_import.id,
        ImportRowError.line.in_(lines),
        ImportRowError.row.is_not(None),
    )


def _no_column(name: str) -> Problem:
    return Problem(N_("The file has no column “%(value)s”."), value=name)
