"""Asking for an export: everything that can be wrong with the request is said before a job exists."""

from collections.abc import Sequence
from typing import Any

from webapp.database import write_transaction
from webapp.errors import Invalid
from webapp.extensions import settings
from webapp.models import TaskNotification, User
from webapp.models.base import utc_now
from webapp.pipeline.formats import get_format
from webapp.resources.base import N_
from webapp.resources.registry import RESOURCES, get_resource
from webapp.resources.types import Problem
from webapp.services import files, jobs
from webapp.services.queries import RecordQuery, where_filters


def request_export(
    actor: User,
    resource_name: str,
    file_format: str,
    *,
    fields: Sequence[str] = (),
    filters: dict[str, str] | None = None,
    sort: str = "",
    options: dict[str, Any] | None = None,
    language: str = "",
    claimed_by: str | None = None,
) -> TaskNotification:
    """Create the job of an export; everything that can be wrong with the request is said here.

    ``fields`` are the columns in order, all of them when empty. ``language`` is that of the reader:
    files for people are in it. Invalid maps names to problems.
    """
    params: dict[str, Any] = {
        "fields": list(fields),
        "filters": {name: text for name, text in (filters or {}).items() if text},
        "sort": sort,
        "language": language,
        "options": {},
    }
    params["options"] = _check_request(resource_name, file_format, params, options or {})
    with write_transaction() as session:
        return jobs.create_job(
            session,
            "export",
            actor=actor,
            model_name=resource_name,
            file_format=file_format,
            params=params,
            queue_key=None
            if claimed_by
            else f"export:{actor.id}:{resource_name}:{file_format}:{_digest(params)}",
            claimed_by=claimed_by,
        )


def _digest(params: dict[str, Any]) -> str:
    return files.digest_text(repr(sorted(params.items())))[:32]


def _check_request(
    resource_name: str, file_format: str, params: dict[str, Any], options: dict[str, Any]
) -> dict[str, Any]:
    """Return the options as the writer wants them."""
    problems: dict[str, Problem] = {}
    if resource_name not in RESOURCES:
        raise Invalid(
            {"resource": _unknown(N_("There is no resource “%(value)s”."), resource_name, RESOURCES)}
        )
    resource = get_resource(resource_name)
    known = [field.name for field in resource.fields]
    for name in params["fields"]:
        if name not in known:
            problems["fields"] = _unknown(N_("There is no field “%(value)s”."), name, known)
    cleaned: dict[str, Any] = {}
    try:
        cleaned = get_format(file_format).clean_options(options)
    except Problem as problem:
        problems["format"] = problem
    if problems:
        raise Invalid(problems)
    where_filters(resource, RecordQuery(resource), params["filters"])
    return cleaned


def _unknown(message: str, value: str, known: Any) -> Problem:
    return Problem(message, N_("Use one of: %(known)s."), value=value, known=", ".join(known))


def download_name(job: TaskNotification) -> str:
    """Return the name under which an export is saved: resource, day, extension."""
    chosen = get_format(job.file_format or "")
    extension = chosen.get_extension(job.params.get("options", {}))
    day = (job.completed_at or utc_now()).astimezone(settings().zone).strftime("%Y-%m-%d")
    return f"{job.model_name}-{day}.{extension}"
