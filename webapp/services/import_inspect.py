"""The inspection of an uploaded file: its dialect is decided once, and a mapping proposed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import update

from webapp.extensions import db, settings
from webapp.models import DataImport
from webapp.models.base import utc_now
from webapp.pipeline.dialect import Dialect
from webapp.pipeline.limits import Limits
from webapp.pipeline.read import read_table
from webapp.resources.base import N_
from webapp.resources.types import Problem
from webapp.services import files
from webapp.services.import_mapping import list_ignored, propose_mapping
from webapp.services.import_overrides import SHAPE
from webapp.services.job_protocol import JobRun

MEBIBYTE = 1 << 20


def run_inspect(run: JobRun) -> None:
    """Find out what the file is, propose a mapping, and let a person decide."""
    data_import = get_of_job(run)
    if data_import.state not in ("uploaded", "inspected", "checked"):
        raise Problem(N_("This import was already started; its file is not read again."))
    found = inspect_file(data_import, run.params.get("overrides") or {})
    with run.batch() as session:
        session.execute(
            update(DataImport).where(DataImport.id == data_import.id).values(**found, state="inspected")
        )
        run.processed = found["row_count"]
        run.complete(session, record_count=found["row_count"], total=found["row_count"], is_read=True)


def get_of_job(run: JobRun) -> DataImport:
    """Return the import of a job, if its file is still there."""
    found = db.session.get(DataImport, run.data_import_id)
    if found is None or found.file_path is None or not files.is_kept(found.file_path):
        raise Problem(N_("The uploaded file is gone."), N_("Upload it again."))
    return found


def inspect_file(data_import: DataImport, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored of an inspection. No transaction is open while the file is read."""
    path, known, mapping = str(data_import.file_path), data_import.dialect, data_import.mapping
    shape = {name: value for name, value in overrides.items() if name in SHAPE}
    before = {name: value for name, value in data_import.overrides.items() if name in SHAPE}
    report = {name: value for name, value in (data_import.report or {}).items() if name != "check"}
    db.session.rollback()
    with files.local_path(path) as local:
        table = read_table(local, limits=read_limits(), **{**overrides, "date_orders": None})
        sample = [[line, row] for line, row in table.sample]
    dialect = _decide_dates(table.dialect, overrides.get("date_orders") or {})
    if known is None or shape != before or mapping is None:
        mapping, report["suggestions"] = propose_mapping(data_import, table.columns)
    return {
        "dialect": dialect.to_json(),
        "overrides": dict(overrides),
        "sample": sample,
        "row_count": dialect.rows,
        "mapping": mapping,
        "report": report | {"ignored_columns": list_ignored(table.columns, mapping)},
        "updated_at": utc_now(),
    }


def _decide_dates(dialect: Dialect, orders: Mapping[str, str]) -> Dialect:
    """Let a person's word about single columns stand beside what the others have shown."""
    known = {name: order for name, order in orders.items() if name in dialect.columns}
    return replace(dialect, date_orders={**dialect.date_orders, **known})


def read_limits() -> Limits:
    """Return the limits of this house's settings."""
    config = settings()
    return Limits(
        max_bytes=config.max_upload_mb * MEBIBYTE,
        max_rows=config.max_import_rows,
        max_columns=config.max_import_columns,
        max_cell_length=config.max_cell_length,
    )
