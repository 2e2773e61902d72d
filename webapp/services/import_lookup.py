"""Imports as they are looked up: one, a list, the newest job of each, the same file, a record's last one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import joinedload

from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Change, DataImport, ImportJob, ImportKept, TaskNotification, User


@dataclass(frozen=True)
class LastImport:
    """The import that last touched a record, and on which line of its file the record stood."""

    public_id: str
    file_name: str
    line: int | None
    at: datetime


def get_import(actor: User, public_id: str) -> DataImport:
    """Return an import that the actor may see: their own, or any for an administrator. NotFound otherwise."""
    query = select(DataImport).where(DataImport.public_id == public_id)
    if not actor.is_admin:
        query = query.where(DataImport.user_id == actor.id)
    if db.session().info.get("writing"):
        query = query.with_for_update()  # two that start something take turns
    found = db.session.scalar(query)
    if found is None:
        raise NotFound(public_id)
    return found


def list_imports(actor: User, *, before_id: int | None = None, limit: int = 50) -> Sequence[DataImport]:
    """Return the actor's imports, newest first."""
    query = select(DataImport).where(DataImport.user_id == actor.id)
    if before_id is not None:
        query = query.where(DataImport.id < before_id)
    return db.session.scalars(query.order_by(DataImport.id.desc()).limit(limit)).all()


def latest_job(data_import: DataImport) -> TaskNotification | None:
    """Return the newest job of an import."""
    return list_latest_jobs([data_import]).get(data_import.id)


def list_latest_jobs(imports: Sequence[DataImport]) -> dict[int, TaskNotification]:
    """Return the newest job of each import, by the import's id."""
    newest = (
        select(func.max(TaskNotification.id))
        .where(TaskNotification.data_import_id.in_([item.id for item in imports]))
        .group_by(TaskNotification.data_import_id)
    )
    found = db.session.scalars(select(TaskNotification).where(TaskNotification.id.in_(newest)))
    return {job.data_import_id: job for job in found if job.data_import_id is not None}


def is_applied(data_import: DataImport) -> bool:
    """Whether an import has been applied, wholly or until it was cancelled or failed on the way."""
    if data_import.state == "applied":
        return True
    job = latest_job(data_import)
    return data_import.state == "applying" and (job is None or job.is_final)


def find_same_file(data_import: DataImport) -> DataImport | None:
    """Return the newest import of the same bytes into the same kind of record that has saved something."""
    return db.session.scalar(
        select(DataImport)
        .where(
            DataImport.sha256 == data_import.sha256,
            DataImport.resource == data_import.resource,
            DataImport.id != data_import.id,
            DataImport.state.in_(("applying", "applied")),
        )
        .options(joinedload(DataImport.user))
        .order_by(DataImport.id.desc())
        .limit(1)
    )


def find_last_import(resource_name: str, record_id: int) -> LastImport | None:
    """Return the import that last touched a record; one that was taken back has touched what it kept."""
    was_kept = exists().where(
        ImportKept.data_import_id == DataImport.id,
        ImportKept.resource == resource_name,
        ImportKept.record_id == record_id,
    )
    row = db.session.execute(
        select(DataImport.public_id, DataImport.file_name, Change.line, Change.at)
        .join(ImportJob, and_(ImportJob.job_id == Change.job_id, Change.id > ImportJob.after_change))
        .join(DataImport, DataImport.id == ImportJob.data_import_id)
        .where(
            Change.resource == resource_name,
            Change.record_id == record_id,
            Change.source == "import",
            or_(DataImport.state != "undone", was_kept),
        )
        .order_by(Change.id.desc())
        .limit(1)
    ).first()
    return LastImport(*row) if row else None
