"""Imports as people work on them: keep a file, look at it, decide, start, take back.

A ``DataImport`` is what a person works on; its jobs do the work, and while one of them waits or runs
no other can be started. What the jobs do is in ``import_inspect``, ``import_check``, ``import_apply``
and ``import_undo``.
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO, Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.errors import Conflict, Invalid, NotFound
from webapp.extensions import settings
from webapp.models import Change, DataImport, ImportJob, ImportKept, TaskNotification, User
from webapp.models.base import utc_now
from webapp.pipeline.read import sniff_kind
from webapp.pipeline.sniff import HEAD_BYTES
from webapp.resources.base import N_
from webapp.resources.registry import IMPORTABLE, get_resource
from webapp.resources.types import Problem
from webapp.services import files, jobs
from webapp.services.accounts import require_role
from webapp.services.import_lookup import (
    LastImport,
    find_last_import,
    find_same_file,
    get_import,
    is_applied,
    latest_job,
    list_imports,
    list_latest_jobs,
)
from webapp.services.import_mapping import check_mapping, mappable_fields
from webapp.services.import_options import DEFAULT_OPTIONS, check_options
from webapp.services.import_overrides import check_overrides

__all__ = [
    "LastImport",
    "check_options",
    "create_import",
    "describe_bad_rows",
    "describe_repeat",
    "find_last_import",
    "find_same_file",
    "get_import",
    "is_applied",
    "kept_upload",
    "latest_job",
    "list_imports",
    "list_latest_jobs",
    "mappable_fields",
    "read_again",
    "start_check",
    "start_import",
    "start_job",
    "start_undo",
]

MEBIBYTE = 1 << 20


def create_import(
    actor: User,
    resource_name: str,
    stream: IO[bytes],
    file_name: str,
    *,
    inspect: bool = True,
) -> DataImport:
    """Keep an uploaded file and ask for its inspection. Problem says what is wrong with the file.

    ``stream`` must be seekable. With ``inspect=False`` no job is made: the caller runs everything.
    """
    with kept_upload(actor, resource_name, stream, file_name) as data_import, write_transaction() as session:
        session.add(data_import)
        session.flush()
        if inspect:
            start_job(session, actor, data_import, "import_inspect")
    return data_import


@contextmanager
def kept_upload(actor: User, resource_name: str, stream: IO[bytes], file_name: str) -> Iterator[DataImport]:
    """Store an upload and give the block its import, which it adds; the file goes when the block raises."""
    require_role(actor, "editor")
    if resource_name not in IMPORTABLE:
        raise NotFound(resource_name)
    sniff_kind(stream.read(HEAD_BYTES))
    stream.seek(0)
    path, size, sha256 = files.keep_upload(stream, "imports", "upload", settings().max_upload_mb * MEBIBYTE)
    try:
        yield DataImport(
            public_id=str(uuid.uuid4()),
            resource=resource_name,
            user_id=actor.id,
            file_name=_clean_name(file_name),
            file_path=path,
            file_size=size,
            sha256=sha256,
            options=dict(DEFAULT_OPTIONS),
        )
    except BaseException:
        files.delete(path)
        raise


def _clean_name(name: str) -> str:
    """Return the display name of an upload: the last part of its path, printable, not too long."""
    last = PurePath(name.replace("\\", "/")).name
    return "".join(char for char in last if char.isprintable())[:200] or "upload"


def start_job(
    session: Session,
    actor: User,
    data_import: DataImport,
    task_type: str,
    *,
    claimed_by: str | None = None,
    **params: Any,
) -> TaskNotification:
    """Ask for a job of an import in the caller's transaction. Conflict while another one waits or runs."""
    key = f"import:{data_import.id}"
    if jobs.find_active(session, key):
        raise Conflict(
            N_("Something is still being done with this import. Wait until it has ended, or cancel it.")
        )
    job = jobs.create_job(
        session,
        task_type,
        actor=actor,
        model_name=data_import.resource,
        data_import_id=data_import.id,
        params={"file_name": data_import.file_name, **params},
        queue_key=key,
        claimed_by=claimed_by,
    )
    if task_type in {"import", "import_undo"}:
        after = session.scalar(select(func.max(Change.id))) or 0
        session.merge(ImportJob(job_id=job.id, data_import_id=data_import.id, after_change=after))
    data_import.updated_at = utc_now()
    data_import.version += 1
    return job


def read_again(actor: User, public_id: str, overrides: Mapping[str, Any]) -> TaskNotification:
    """Read the file once more as a person says: encoding, delimiter, header line or dates.

    ``overrides`` are all decisions; what is not among them is detected. Conflict once it was applied.
    """
    require_role(actor, "editor")
    chosen = check_overrides(overrides)
    with write_transaction() as session:
        data_import = get_import(actor, public_id)
        if data_import.state not in ("uploaded", "inspected", "checked"):
            raise Conflict(_why_not(data_import))
        job = start_job(session, actor, data_import, "import_inspect", overrides=chosen)
        data_import.state = "uploaded"
        return job


def start_check(
    actor: User, public_id: str, mapping: Mapping[str, Any], options: Mapping[str, Any] | None = None
) -> TaskNotification:
    """Take the person's decisions and ask what would happen. Invalid says what cannot be taken."""
    require_role(actor, "editor")
    with write_transaction() as session:
        data_import = get_import(actor, public_id)
        if data_import.state not in ("inspected", "checked"):
            raise Conflict(_why_not(data_import))
        chosen = check_options(get_resource(data_import.resource), options or {})
        check_mapping(data_import, mapping)
        job = start_job(session, actor, data_import, "import_check")
        data_import.mapping = dict(mapping)
        data_import.options = chosen
        data_import.state = "inspected"
        return job


def start_import(actor: User, public_id: str, *, confirm_repeat: bool = False) -> TaskNotification:
    """Ask for the rows to be saved as they were checked. Invalid says what stands against it."""
    require_role(actor, "editor")
    with write_transaction() as session:
        data_import = get_import(actor, public_id)
        if data_import.state != "checked":
            raise Conflict(_why_not(data_import))
        check_mapping(data_import, data_import.mapping or {})
        failed = ((data_import.report or {}).get("check") or {}).get("counts", {}).get("failed", 0)
        if failed and data_import.options["on_error"] == "abort":
            raise Invalid({"on_error": describe_bad_rows(failed)})
        if not confirm_repeat and (same := find_same_file(data_import)):
            raise Invalid({"confirm": describe_repeat(same)})
        job = start_job(session, actor, data_import, "import")
        # What an earlier try that was taken back had to leave is no matter of this one.
        session.execute(delete(ImportKept).where(ImportKept.data_import_id == data_import.id))
        data_import.state = "applying"
        return job


def describe_bad_rows(count: int) -> Problem:
    """The answer to bad rows where only all are to be taken."""
    return Problem(
        N_("Nothing was saved, because of rows that cannot be taken: %(count)s."),
        N_("Correct them, or choose to skip bad rows."),
        count=count,
    )


def describe_repeat(same: DataImport) -> Problem:
    """The answer to a file that was applied before."""
    return Problem(
        N_("This very file was already imported on %(at)s by %(user)s."),
        N_("Importing it again may double stock movements. Confirm that you want it."),
        at=f"{(same.applied_at or same.updated_at).astimezone(settings().zone):%Y-%m-%d %H:%M}",
        user=same.user.email if same.user else "–",
    )


def start_undo(actor: User, public_id: str) -> TaskNotification:
    """Ask for what an import did to be taken back. Conflict when it has done nothing yet."""
    require_role(actor, "editor")
    with write_transaction() as session:
        data_import = get_import(actor, public_id)
        if not is_applied(data_import) and data_import.state != "applying":
            raise Conflict(N_("Only an import that was applied can be taken back."))
        return start_job(session, actor, data_import, "import_undo")


def _why_not(data_import: DataImport) -> str:
    if data_import.state == "uploaded":
        return N_("The file is still being read. Wait a moment.")
    if data_import.state == "inspected":
        return N_("Check the file first.")
    return N_("This import was already started. Upload the file again to import it once more.")
