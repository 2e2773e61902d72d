"""A file that was imported once, imported again: as a new import, at the step where a person decides."""

import uuid

from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.errors import Conflict, NotFound
from webapp.extensions import db
from webapp.models import DataImport, TaskNotification, User
from webapp.resources.base import N_
from webapp.services import files, jobs
from webapp.services.accounts import require_role
from webapp.services.job_audit import audit_jobs

# What was understood and decided: it is shown to a person again before a row is saved.
KEPT = ("resource", "file_name", "dialect", "sample", "row_count", "mapping", "options", "report")


def prepare_import_again(actor: User, task_id: str) -> DataImport:
    """Copy the import of an ended job, with its file, mapping and options; nothing is saved before it is started.

    Conflict when the job has not ended, when its file was never understood, or when it is no longer kept.
    """
    require_role(actor, "editor")
    job = jobs.get_job(actor, task_id)
    if job.task_type != "import" or not job.is_final:
        raise Conflict(N_("Only an import that has ended can be started again."))
    old = db.session.get(DataImport, job.data_import_id) if job.data_import_id else None
    if old is None or old.file_path is None or old.dialect is None:
        raise Conflict(N_("The file of this import is no longer kept. Upload it again."))
    db.session.rollback()  # no transaction is open while the file is copied
    path = _copy_file(old.file_path, old.file_size)
    try:
        with write_transaction() as session:
            made = _add_copy(session, actor, db.session.get_one(DataImport, old.id), path)
            audit_jobs(session, actor, "import_again", [session.get_one(TaskNotification, job.id)])
            return made
    except BaseException:
        files.delete(path)
        raise


def _copy_file(path: str, size: int) -> str:
    """Keep the file a second time: each import owns its own."""
    try:
        with files.open_for_reading(path) as source:
            return files.keep_upload(source, "imports", "upload", size)[0]
    except NotFound:
        raise Conflict(N_("The file of this import is no longer kept. Upload it again.")) from None


def _add_copy(session: Session, actor: User, old: DataImport, path: str) -> DataImport:
    made = DataImport(
        public_id=str(uuid.uuid4()),
        user_id=actor.id,
        state="inspected",
        file_path=path,
        file_size=old.file_size,
        sha256=old.sha256,
        **{name: getattr(old, name) for name in KEPT},
    )
    session.add(made)
    session.flush()
    return made
