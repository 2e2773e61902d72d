"""Exports: the file of one is built from one consistent snapshot. It is asked for in ``export_requests``."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta

from flask_babel import force_locale
from flask_babel import gettext as _

from webapp.extensions import db, settings
from webapp.models import User
from webapp.models.base import utc_now
from webapp.pipeline.formats import Column, ExportInfo, WriteResult, get_format
from webapp.resources.base import Field, Resource
from webapp.resources.registry import get_resource
from webapp.services import files, queries
from webapp.services.audit_export import AUDIT, FORMAT, write_changes
from webapp.services.export_requests import request_export
from webapp.services.export_rows import build_query, count_rows, open_snapshot, stream_rows
from webapp.services.job_protocol import JobRun

__all__ = ["request_export", "run_export"]


def run_export(run: JobRun) -> None:
    """Write the file of an export job and publish it with the job's last transaction."""
    if run.model_name == AUDIT:
        path = files.new_path("exports", get_format(FORMAT).get_extension(run.params["options"]))
        with files.open_for_writing(path) as file:
            written = write_changes(run, file)
        _publish(run, path, written)
        return
    resource, chosen = get_resource(run.model_name or ""), get_format(run.file_format or "")
    fields = _chosen_fields(resource, run.params["fields"])
    language = run.params.get("language") or _find_language(run)
    with force_locale(language):
        columns = [Column(field.name, _(field.label), field.type) for field in fields]
    path = files.new_path("exports", chosen.get_extension(run.params["options"]))
    query, number = build_query(resource, fields, run.params["filters"], run.params["sort"])
    with open_snapshot(chosen.cache_kib) as connection:
        total = count_rows(connection, number, run)
        run.set_total(total)
        # Closed at once, whatever happens: an open query would keep the connection busy and in the past.
        with (
            closing(stream_rows(connection, query, run, chosen.batch_rows)) as batches,
            files.open_for_writing(path) as file,
        ):
            info = _describe(resource, run, total, language)
            result = chosen.writer(batches, columns, file, info, run.params["options"])
    _publish(run, path, result)


def _chosen_fields(resource: Resource, names: Sequence[str]) -> Sequence[Field]:
    return [resource.get_field(name) for name in names] or resource.fields


def _find_language(run: JobRun) -> str:
    user = db.session.get(User, run.user_id) if run.user_id else None
    language = (user.language if user else None) or settings().app_language
    db.session.rollback()
    return language


def _describe(resource: Resource, run: JobRun, total: int, language: str) -> ExportInfo:
    with force_locale(language):
        title = _(resource.label_plural)
        filters = tuple(_name_filter(resource, name, text) for name, text in run.params["filters"].items())
    return ExportInfo(
        resource=resource.name,
        title=title,
        filters=filters,
        generated_at=utc_now(),
        language=language,
        timezone=settings().app_timezone,
        total=total,
    )


def _name_filter(resource: Resource, name: str, text: str) -> tuple[str, str]:
    """Return a filter in words, for the head of a file that people read."""
    label = queries.label_filter(resource, name)
    named = _(label.message, **{key: _(value) for key, value in label.params.items()})
    return named, _("yes") if name == "low_stock" else text


def _publish(run: JobRun, path: str, result: WriteResult) -> None:
    try:
        size, sha256 = files.measure(path)
        with run.batch() as session:
            run.processed = result.rows
            run.complete(
                session,
                record_count=result.rows,
                total=result.rows,
                params={**run.params, "notes": [asdict(note) for note in result.notes]},
                file_path=path,
                file_size=size,
                sha256=sha256,
                expires_at=utc_now() + timedelta(days=settings().file_ttl_days),
            )
    except BaseException:
        files.delete(path)
        raise
