"""Imports for tests: a file's text in, through the service and the real queue, to its end."""

import io
from typing import Any

from tests.support.houses import drain_queue
from webapp.extensions import db
from webapp.models import DataImport, TaskNotification, User
from webapp.services import imports


def upload(actor: User, resource: str, text: str, name: str = "file.csv") -> DataImport:
    """Upload a file and let it be inspected."""
    made = imports.create_import(actor, resource, io.BytesIO(text.encode()), name)
    drain_queue()
    return reload_import(made)


def check(actor: User, data_import: DataImport, mapping: Any = None, **options: Any) -> DataImport:
    """Check an inspected file, by its suggested mapping if no other is given."""
    imports.start_check(actor, data_import.public_id, mapping or data_import.mapping or {}, options)
    drain_queue()
    return reload_import(data_import)


def start(actor: User, data_import: DataImport, mapping: Any = None, **options: Any) -> TaskNotification:
    """Check an inspected file, and ask for its rows to be saved."""
    check(actor, data_import, mapping, **options)
    return imports.start_import(actor, data_import.public_id, confirm_repeat=True)


def apply(actor: User, data_import: DataImport, mapping: Any = None, **options: Any) -> TaskNotification:
    """Check and import an inspected file, and return the ended job."""
    start(actor, data_import, mapping, **options)
    drain_queue()
    return job_of(data_import)


def undo(actor: User, data_import: DataImport) -> TaskNotification:
    """Take an applied import back, and return the ended job."""
    imports.start_undo(actor, data_import.public_id)
    drain_queue()
    return job_of(data_import)


def bring_in(actor: User, resource: str, text: str, mapping: Any = None, **options: Any) -> TaskNotification:
    """Upload and import a file, and return the ended job."""
    return apply(actor, upload(actor, resource, text), mapping, **options)


def job_of(data_import: DataImport) -> TaskNotification:
    """Return the newest job of an import as it is stored now."""
    found = imports.latest_job(reload_import(data_import))
    assert found is not None
    return found


def reload_import(data_import: DataImport) -> DataImport:
    """Return an import as it is stored now."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(DataImport, data_import.id)


def counts(job: TaskNotification) -> tuple[int, int, int, int]:
    """How many rows were created, updated, left unchanged, refused."""
    return job.created, job.updated, job.unchanged, job.failed
