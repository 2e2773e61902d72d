"""Imports: keep the file, understand it, save its rows.

A ``DataImport`` is what a person works on; its jobs do the work. The dialect is decided once, by the
inspection, and every later step reads the file by what was stored.
"""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import IO, Any

from flask_babel import force_locale, gettext
from sqlalchemy import delete, insert, select, tuple_, update
from sqlalchemy.orm import Session

from config import LANGUAGES
from webapp.database import write_transaction
from webapp.errors import Conflict, Invalid, NotFound
from webapp.extensions import db, settings
from webapp.models import DataImport, ImportRowError, TaskNotification, User
from webapp.models.base import utc_now
from webapp.pipeline.check import CheckedRow, ColumnRule, RowProblem, check_rows, parse_mapping
from webapp.pipeline.dialect import Dialect
from webapp.pipeline.limits import Limits
from webapp.pipeline.mapping import suggest_mapping
from webapp.pipeline.read import read_table, sniff_kind
from webapp.pipeline.sniff import HEAD_BYTES
from webapp.resources.base import N_, Field, Resource
from webapp.resources.registry import RESOURCES, get_resource
from webapp.resources.types import Problem, Reference
from webapp.services import files, jobs
from webapp.services.accounts import require_role
from webapp.services.job_protocol import JobRun
from webapp.services.records import MODES, Plan, SaveContext, save_rows
from webapp.services.stock import StockLedger

CHUNK_ROWS = 2_000
FIRST_BATCH_ROWS = 200
LARGEST_BATCH_ROWS = 2_000
MEBIBYTE = 1 << 20

DEFAULT_OPTIONS = {"on_error": "skip", "mode": "upsert", "dry_run": False}


def mappable_fields(resource: Resource) -> tuple[Field, ...]:
    """Return the fields that a file may give: those that can be written, and those that tell references apart."""
    scopes = {field.type.scope for field in resource.fields if isinstance(field.type, Reference)}
    return tuple(field for field in resource.fields if not field.readonly or field.name in scopes)


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
    require_role(actor, "editor")
    if resource_name not in RESOURCES:
        raise NotFound(resource_name)
    sniff_kind(stream.read(HEAD_BYTES))
    stream.seek(0)
    path, size, sha256 = files.keep_upload(stream, "imports", "upload", settings().max_upload_mb * MEBIBYTE)
    try:
        with write_transaction() as session:
            data_import = DataImport(
                public_id=str(uuid.uuid4()),
                resource=resource_name,
                user_id=actor.id,
                file_name=_clean_name(file_name),
                file_path=path,
                file_size=size,
                sha256=sha256,
                options=dict(DEFAULT_OPTIONS),
            )
            session.add(data_import)
            session.flush()
            if inspect:
                jobs.create_job(
                    session,
                    "import_inspect",
                    actor=actor,
                    model_name=resource_name,
                    data_import_id=data_import.id,
                    params={"file_name": data_import.file_name},
                )
    except BaseException:
        files.delete(path)
        raise
    return data_import


def _clean_name(name: str) -> str:
    """Return the display name of an upload: the last part of its path, printable, not too long."""
    last = PurePath(name.replace("\\", "/")).name
    return "".join(char for char in last if char.isprintable())[:200] or "upload"


def get_import(actor: User, public_id: str) -> DataImport:
    """Return an import that the actor may see: their own, or any for an administrator. NotFound otherwise."""
    query = select(DataImport).where(DataImport.public_id == public_id)
    if not actor.is_admin:
        query = query.where(DataImport.user_id == actor.id)
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
    query = select(TaskNotification).where(TaskNotification.data_import_id == data_import.id)
    return db.session.scalar(query.order_by(TaskNotification.id.desc()).limit(1))


def list_row_errors(
    data_import: DataImport, *, after: tuple[int, int] | None = None, limit: int = 100
) -> Sequence[ImportRowError]:
    """Return what was wrong with the rows of the newest run, by line, from past ``after`` (line, id)."""
    job = latest_job(data_import)
    if job is None:
        return []
    query = select(ImportRowError).where(ImportRowError.job_id == job.id)
    if after is not None:
        query = query.where(tuple_(ImportRowError.line, ImportRowError.id) > after)
    return db.session.scalars(query.order_by(ImportRowError.line, ImportRowError.id).limit(limit)).all()


def start_import(
    actor: User, public_id: str, mapping: Mapping[str, Any], options: Mapping[str, Any] | None = None
) -> TaskNotification:
    """Take the person's decisions and ask for the rows to be saved. Invalid says what cannot be taken."""
    require_role(actor, "editor")
    with write_transaction() as session:
        data_import = get_import(actor, public_id)
        if data_import.state != "inspected":
            raise Conflict(_why_not(data_import))
        chosen = check_options(options or {})
        _check_mapping(data_import, mapping)
        data_import.mapping = dict(mapping)
        data_import.options = chosen
        data_import.state = "applying"
        data_import.updated_at = utc_now()
        data_import.version += 1
        return jobs.create_job(
            session,
            "import",
            actor=actor,
            model_name=data_import.resource,
            data_import_id=data_import.id,
            params={"file_name": data_import.file_name},
            queue_key=f"import:{data_import.id}",
        )


def _why_not(data_import: DataImport) -> str:
    if data_import.state == "uploaded":
        return N_("The file is still being read. Wait a moment.")
    return N_("This import was already started. Upload the file again to import it once more.")


def check_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an import with their defaults; Invalid names what is unknown."""
    allowed: dict[str, tuple[Any, ...]] = {
        "on_error": ("skip", "abort"),
        "mode": MODES,
        "dry_run": (True, False),
    }
    problems = {
        name: Problem(N_("“%(value)s” is not a choice for %(option)s."), value=value, option=name)
        for name, value in options.items()
        if value not in allowed.get(name, ())
    }
    if problems:
        raise Invalid(problems)
    return {**DEFAULT_OPTIONS, **options}


def _check_mapping(data_import: DataImport, mapping: Mapping[str, Any]) -> dict[str, ColumnRule]:
    resource = get_resource(data_import.resource)
    dialect = Dialect.from_json(data_import.dialect or {})
    try:
        rules = parse_mapping(mappable_fields(resource), mapping, dialect.columns)
    except Problem as problem:
        raise Invalid({"mapping": problem}) from None
    for name in resource.key:
        field = resource.get_field(name)
        if field.required and name not in rules:
            raise Invalid(
                {
                    name: Problem(
                        N_("No column is chosen for %(field)s, by which records are told apart."),
                        N_("Choose one."),
                        field=field.label,
                    )
                }
            )
    return rules


def run_inspect(run: JobRun) -> None:
    """Find out what the file is, propose a mapping, and let a person decide."""
    data_import = _get_of_job(run)
    found = _inspect(data_import)
    with run.batch() as session:
        session.execute(
            update(DataImport).where(DataImport.id == data_import.id).values(**found, state="inspected")
        )
        run.processed = found["row_count"]
        run.complete(session, record_count=found["row_count"], total=found["row_count"], is_read=True)


def _get_of_job(run: JobRun) -> DataImport:
    found = db.session.get(DataImport, run.data_import_id)
    if found is None or found.file_path is None or not files.is_kept(found.file_path):
        raise Problem(N_("The uploaded file is gone."), N_("Upload it again."))
    return found


def _inspect(data_import: DataImport) -> dict[str, Any]:
    """Return what is stored of an inspection. No transaction is open while the file is read."""
    resource = get_resource(data_import.resource)
    path = str(data_import.file_path)
    db.session.rollback()
    with files.local_path(path) as local:
        table = read_table(local, limits=read_limits())
        sample = [[line, row] for line, row in table.sample]
    fields = mappable_fields(resource)
    suggested = suggest_mapping(resource, fields, table.columns, _translate_labels(fields))
    return {
        "dialect": table.dialect.to_json(),
        "sample": sample,
        "row_count": table.dialect.rows,
        "mapping": {
            name: {"column": column, "default": "", "values": {}} for name, (column, _) in suggested.items()
        },
        "report": {
            "suggestions": {name: "exact" if exact else "fuzzy" for name, (_, exact) in suggested.items()}
        },
        "updated_at": utc_now(),
    }


def _translate_labels(fields: Sequence[Field]) -> dict[str, list[str]]:
    """Return each field's label in every language: a file's headers need not be in its reader's."""
    labels: dict[str, list[str]] = {field.name: [] for field in fields}
    for language in LANGUAGES:
        with force_locale(language):
            for field in fields:
                labels[field.name].append(gettext(field.label))
    return labels


def read_limits() -> Limits:
    """Return the limits of this house's settings."""
    config = settings()
    return Limits(
        max_bytes=config.max_upload_mb * MEBIBYTE,
        max_rows=config.max_import_rows,
        max_columns=config.max_import_columns,
        max_cell_length=config.max_cell_length,
    )


def run_import(run: JobRun) -> None:
    """Check and save every row, batch by batch; resumes after its checkpoint."""
    data_import = _get_of_job(run)
    if data_import.state == "uploaded":
        data_import = _inspect_first(run, data_import)
    importer = _Importer(run, data_import)
    if data_import.options["dry_run"]:
        importer.try_out()
        importer.finish("inspected")
    else:
        if data_import.options["on_error"] == "abort":
            importer.refuse_bad_rows()
        importer.save_all()
        importer.finish("applied")


def _inspect_first(run: JobRun, data_import: DataImport) -> DataImport:
    """The command line and the API run everything as one job: inspect, then take the mapping that was sent."""
    mapping, found = data_import.mapping, _inspect(data_import)
    with run.batch() as session:
        found["mapping"] = mapping or found["mapping"]
        session.execute(
            update(DataImport).where(DataImport.id == data_import.id).values(**found, state="applying")
        )
        session.expire_all()
    _check_mapping(data_import, found["mapping"])
    return data_import


class _Importer:
    """One run over a file's rows."""

    def __init__(self, run: JobRun, data_import: DataImport) -> None:
        self.run = run
        self.import_id = data_import.id
        self.path = str(data_import.file_path)
        self.options = dict(data_import.options)
        self.resource = get_resource(data_import.resource)
        self.fields = mappable_fields(self.resource)
        self.dialect = Dialect.from_json(data_import.dialect or {})
        self.rules = _check_mapping(data_import, data_import.mapping or {})
        self.styles = {name: self.dialect.get_style(name, settings().zone) for name in self.dialect.columns}
        self.size = FIRST_BATCH_ROWS
        run.set_total(data_import.row_count)
        db.session.rollback()

    def save_all(self) -> None:
        """Save every batch with its errors, counts and checkpoint in one transaction."""
        if self.run.crashes >= settings().max_crashes - 1:
            self.size = 1  # the last try goes row by row, so that the failure names its line
        context = self._context()
        for batch in self._batches(int(self.run.checkpoint.get("line", 0))):
            started = time.monotonic()
            self.run.in_batch(partial(self._save_batch, batch=batch, context=context))
            self._adapt(time.monotonic() - started)

    def _save_batch(self, session: Session, batch: list[CheckedRow], context: SaveContext) -> None:
        # Rows of its own for each try: what a rolled back one found wrong with them is forgotten with it.
        rows = [replace(row, values=dict(row.values), problems=list(row.problems)) for row in batch]
        plans = save_rows(session, self.resource, rows, context)
        if self.options["on_error"] == "abort":
            failed = next((plan for plan in plans if plan.action == "failed"), None)
            if failed is not None:
                self._stop_at(failed)
        self._count(session, plans)
        self.run.checkpoint = {"line": batch[-1].line}

    def _stop_at(self, plan: Plan) -> None:
        first = plan.row.problems[0]
        raise Problem(
            N_("Line %(line)s could no longer be saved: %(reason)s The rows before it are in."),
            N_("Correct the line and import the file again: rows that are already in stay as they are."),
            line=plan.row.line,
            reason=str(first.problem),
        )

    def try_out(self) -> None:
        """Check every row against the database and write nothing but the report."""
        with self.run.batch() as session:  # a try that was cut off may have counted already
            session.execute(delete(ImportRowError).where(ImportRowError.job_id == self.run.id))
            self.run.counts = dict.fromkeys(self.run.counts, 0)
            self.run.processed = 0
        context = self._context(is_dry=True)
        for batch in self._batches(0):
            plans = save_rows(db.session(), self.resource, batch, context)
            db.session.rollback()
            with self.run.batch() as session:
                self._count(session, plans)

    def refuse_bad_rows(self) -> None:
        """For “only if all rows are good”: check the whole file first, and fail before anything is written."""
        if self.run.checkpoint:
            return
        self.try_out()
        if self.run.counts["failed"]:
            with self.run.batch() as session:  # the person may decide again
                session.execute(
                    update(DataImport).where(DataImport.id == self.import_id).values(state="inspected")
                )
            raise Problem(
                N_("%(count)s rows cannot be taken, so none was saved."),
                N_("Correct them, or choose to skip bad rows."),
                count=self.run.counts["failed"],
            )
        self.run.counts = dict.fromkeys(self.run.counts, 0)
        self.run.processed = 0

    def _context(self, *, is_dry: bool = False) -> SaveContext:
        return SaveContext(
            actor_id=self.run.user_id,
            source="import",
            job_id=self.run.id,
            mode=self.options["mode"],
            is_dry=is_dry,
            ledger=StockLedger(is_dry=True) if is_dry else None,
        )

    def _batches(self, after_line: int) -> Iterator[list[CheckedRow]]:
        with files.local_path(self.path) as local:
            table = read_table(local, dialect=self.dialect, limits=read_limits())
            for chunk in table.chunks(size=CHUNK_ROWS, start_line=after_line):
                rows = self._check(chunk)
                while rows:
                    batch, rows = rows[: self.size], rows[self.size :]
                    yield batch

    def _check(self, chunk: Any) -> list[CheckedRow]:
        records = zip(chunk.frame.index.tolist(), chunk.frame.to_dict("records"), strict=True)
        rows = check_rows(records, self.fields, self.rules, self.styles, self.resource.key)
        for row in rows:
            if row.line in chunk.problems:
                row.problems.insert(0, RowProblem("", "", chunk.problems[row.line]))
        return rows

    def _count(self, session: Session, plans: list[Plan]) -> None:
        for plan in plans:
            self.run.counts[plan.action] += 1
        self.run.processed += len(plans)
        errors = [row for plan in plans if plan.action == "failed" for row in self._errors(plan)]
        if errors:
            session.execute(insert(ImportRowError.__table__), errors)  # type: ignore[arg-type]  # a Table

    def _errors(self, plan: Plan) -> Iterator[dict[str, Any]]:
        for place, item in enumerate(plan.row.problems):
            yield {
                "data_import_id": self.import_id,
                "job_id": self.run.id,
                "line": plan.row.line,
                "column": item.column[:255] or None,
                "value": item.value[:1000] or None,
                "message": item.problem.message,
                "advice": item.problem.advice,
                "params": item.problem.params,
                "row": dict(plan.row.raw) if place == 0 else None,
            }

    def _adapt(self, seconds: float) -> None:
        """Hold the write lock for about ``BATCH_SECONDS``: no page waits for an import."""
        if self.size == 1 and self.run.crashes:
            return
        if seconds > settings().batch_seconds:
            self.size = max(1, self.size // 2)
        elif seconds < settings().batch_seconds / 2:
            self.size = min(LARGEST_BATCH_ROWS, self.size * 2)

    def finish(self, state: str) -> None:
        """End the import and its job together."""
        done = self.run.counts["created"] + self.run.counts["updated"]
        with self.run.batch() as session:
            now = utc_now()
            values = {"state": state, "updated_at": now, "applied_at": now if state == "applied" else None}
            session.execute(update(DataImport).where(DataImport.id == self.import_id).values(**values))
            self.run.complete(session, record_count=done, total=self.run.processed)
