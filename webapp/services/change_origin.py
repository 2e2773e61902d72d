"""Where a change came from: who made it, by a form, the API or a file, and on which line of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select

from webapp.extensions import db
from webapp.models import Change, DataImport, ImportJob, User
from webapp.resources.base import N_
from webapp.resources.types import Phrase

RecordId = tuple[str, int]
SOURCES = {
    "form": N_("Form"),
    "api": N_("API"),
    "import": N_("Import"),
    "undo": N_("Undo of an import"),
    "monitor": N_("Monitor"),
    "stock_count": N_("Stock count"),
    "cli": N_("Command line"),
}


@dataclass(frozen=True)
class Origin:
    """Who changed something, when and by what; ``user`` is None for the system.

    An import has its file's name; its address is there only for those who may open it.
    """

    at: datetime
    source: str
    user: str | None
    line: int | None = None
    file_name: str | None = None
    import_id: str | None = None

    @property
    def label(self) -> Phrase:
        """The way by which it came, in words; a word of another version as it is."""
        return Phrase(SOURCES.get(self.source, self.source))


ORIGIN_COLUMNS = (
    Change.at,
    Change.source,
    Change.line,
    User.email,
    DataImport.file_name,
    DataImport.public_id,
    DataImport.user_id.label("import_user_id"),
)


def select_changes(*columns: Any) -> Select[Any]:
    """Return ``SELECT columns, …origin`` of changes; the joins give each change one row."""
    return (
        select(*columns, *ORIGIN_COLUMNS)
        .select_from(Change)
        .outerjoin(User, User.id == Change.actor_id)
        .outerjoin(ImportJob, and_(ImportJob.job_id == Change.job_id, Change.id > ImportJob.after_change))
        .outerjoin(DataImport, DataImport.id == ImportJob.data_import_id)
    )


def build_origin(row: Any, reader: User) -> Origin:
    """Return the origin in a row of ``select_changes``, as this reader may see it."""
    may_open = row.public_id is not None and (reader.is_admin or row.import_user_id == reader.id)
    return Origin(
        at=row.at,
        source=row.source,
        user=row.email,
        line=row.line,
        file_name=row.file_name,
        import_id=row.public_id if may_open else None,
    )


def find_origins(reader: User, records: Mapping[str, Sequence[int]]) -> dict[RecordId, Origin]:
    """Return where records were created: ids by the name of their resource. What is not known is left out."""
    wanted = [
        and_(Change.resource == resource, Change.record_id.in_(ids))
        for resource, ids in records.items()
        if ids
    ]
    if not wanted:
        return {}
    query = select_changes(Change.resource, Change.record_id).where(or_(*wanted), Change.action == "created")
    return {(row.resource, row.record_id): build_origin(row, reader) for row in db.session.execute(query)}
