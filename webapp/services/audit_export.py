"""The audit as a CSV file, built by a job like every export: a line for each field that a change has touched."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, BinaryIO

from webapp.database import write_transaction
from webapp.extensions import db, settings
from webapp.models import Change, TaskNotification, User
from webapp.models.base import utc_now
from webapp.pipeline.formats import get_format
from webapp.pipeline.write_base import Batch, Column, ExportInfo, Row, WriteResult
from webapp.resources.base import N_
from webapp.resources.types import DateTime, Integer, Style, Text
from webapp.services import jobs
from webapp.services.accounts import require_role
from webapp.services.audit import ChangeFilter, find_range, select_range
from webapp.services.audit_entries import AuditEntry, Edit, build_entries
from webapp.services.job_protocol import JobRun

AUDIT = "audit"  # what the export's job says instead of a resource
FORMAT = "csv"
CHANGES_AT_ONCE = 1_000
COLUMNS = tuple(
    Column(name, label, kind)
    for name, label, kind in (
        ("at", N_("When"), DateTime()),
        ("user", N_("User"), Text()),
        ("source", N_("From where"), Text()),
        ("file", N_("File"), Text()),
        ("line", N_("Line"), Integer()),
        ("resource", N_("Records"), Text()),
        ("record_id", N_("Number"), Integer()),
        ("record", N_("Record"), Text()),
        ("action", N_("Done"), Text()),
        ("field", N_("Field"), Text()),
        ("before", N_("Before"), Text()),
        ("after", N_("After"), Text()),
    )
)


def request_changes(actor: User, wanted: ChangeFilter, language: str = "") -> TaskNotification:
    """Ask for a file of the changes of a filter, all of them however many they are."""
    require_role(actor, "admin")
    params = {
        "changes": _keep(wanted),
        "fields": [],
        "filters": {},
        "sort": "",
        "options": get_format(FORMAT).clean_options({}),
        "language": language,
    }
    with write_transaction() as session:
        return jobs.create_job(
            session, "export", actor=actor, model_name=AUDIT, file_format=FORMAT, params=params
        )


def _keep(wanted: ChangeFilter) -> dict[str, Any]:
    """Return a filter as JSON keeps it."""
    values = asdict(wanted)
    return {name: str(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _read(kept: dict[str, Any]) -> ChangeFilter:
    times = {name: datetime.fromisoformat(kept[name]) for name in ("since", "until") if kept[name]}
    ids = kept["record_ids"]
    return ChangeFilter(**(kept | times | {"record_ids": None if ids is None else tuple(ids)}))


def write_changes(run: JobRun, file: BinaryIO) -> WriteResult:
    """Write the file of such a job. What is recorded while it runs is newer than what it began with."""
    wanted = _read(run.params["changes"])
    info = ExportInfo(AUDIT, AUDIT, (), utc_now(), timezone=settings().app_timezone)
    batches = _list_batches(run, wanted)
    return get_format(FORMAT).writer(batches, COLUMNS, file, info, run.params["options"])


def _list_batches(run: JobRun, wanted: ChangeFilter) -> Iterator[Batch]:
    top, floor, _is_bounded = find_range(wanted, None)
    style = Style(timezone=settings().zone)
    start: int | None = top
    while start is not None and start > 1:
        run.raise_if_stopped()
        entries, start = _read_some(run, wanted, start)
        db.session.rollback()  # no snapshot is held over the writing
        run.set_total(top)
        run.report(top - (start or floor))
        yield [row for entry in entries for row in _list_rows(entry, style)]


def _read_some(run: JobRun, wanted: ChangeFilter, top: int) -> tuple[list[AuditEntry], int | None]:
    """Return the next changes and where to go on; None at the end."""
    reader = db.session.get_one(User, run.user_id)
    top, floor, is_bounded = find_range(wanted, top)
    query = select_range(wanted, top, floor).order_by(Change.id.desc()).limit(CHANGES_AT_ONCE)
    found = db.session.execute(query).all()
    if len(found) == CHANGES_AT_ONCE:
        return build_entries(reader, found), found[-1].id
    return build_entries(reader, found), floor if is_bounded else None


def _list_rows(entry: AuditEntry, style: Style) -> Iterator[Row]:
    origin = entry.origin
    start = (
        origin.at,
        origin.user or "",
        origin.source,
        origin.file_name or "",
        origin.line,
        entry.resource,
        entry.record_id,
        entry.title,
        entry.action,
    )
    for edit in entry.edits or [Edit("", None, None, None)]:
        name = edit.field.name if edit.field else edit.name
        yield (*start, name, _format(edit, edit.before, style), _format(edit, edit.after, style))


def _format(edit: Edit, value: Any, style: Style) -> str:
    """Return a value as files have it."""
    if value is None:
        return ""
    return edit.field.type.format(value, style) if edit.field else str(value)
