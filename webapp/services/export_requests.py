"""Asking for an export: everything that can be wrong with the request is said before a job exists."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.errors import Invalid
from webapp.extensions import db
from webapp.models import TaskNotification, User
from webapp.pipeline.formats import get_format
from webapp.resources.base import N_, Resource
from webapp.resources.registry import RESOURCES, get_resource
from webapp.resources.types import Problem
from webapp.services import files, jobs
from webapp.services.export_estimates import check_size
from webapp.services.idempotency import create_once, find_answered
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
    key: str = "",
) -> TaskNotification:
    """Create the job of an export; everything that can be wrong with the request is said here.

    ``fields`` are the columns in order, all of them when empty. ``language`` is that of the reader:
    files for people are in it. A request whose ``key`` came before returns its job. Invalid maps names to
    problems.
    """
    asked: dict[str, Any] = {
        "fields": list(fields),
        "filters": filters or {},
        "sort": sort,
        "options": options or {},
    }
    digest = files.digest_text(json.dumps([resource_name, file_format, asked, language], sort_keys=True))
    if (found := find_answered(actor, key, digest)) is not None:
        return found
    params = check_request(resource_name, file_format, **asked) | {"language": language}
    return create_once(
        actor,
        key,
        digest,
        lambda session: create_export(
            session, actor, resource_name, file_format, params, claimed_by=claimed_by
        ),
    )


def list_exports(actor: User, *, before_id: int | None = None, limit: int = 50) -> Sequence[TaskNotification]:
    """Return the actor's own exports, newest first, from below ``before_id``."""
    job = TaskNotification
    query = select(job).where(job.user_id == actor.id, job.task_type == "export")
    if before_id is not None:
        query = query.where(job.id < before_id)
    return db.session.scalars(query.order_by(job.id.desc()).limit(limit)).all()


def create_export(
    session: Session,
    actor: User,
    resource_name: str,
    file_format: str,
    params: dict[str, Any],
    *,
    claimed_by: str | None = None,
) -> TaskNotification:
    """Add the job of a checked request to the caller's transaction; asking twice at once asks once."""
    key = f"export:{actor.id}:{resource_name}:{file_format}:{_digest(params)}"
    return jobs.create_job(
        session,
        "export",
        actor=actor,
        model_name=resource_name,
        file_format=file_format,
        params=params,
        queue_key=None if claimed_by else key,
        claimed_by=claimed_by,
    )


def _digest(params: dict[str, Any]) -> str:
    return files.digest_text(repr(sorted(params.items())))[:32]


def check_request(
    resource_name: str,
    file_format: str,
    *,
    fields: Sequence[str],
    filters: Mapping[str, str],
    sort: str,
    options: Mapping[str, Any],
    must_fit: bool = True,
) -> dict[str, Any]:
    """Return the params of an export's job: what was asked for, with every option of the format.

    Invalid maps names to problems. ``must_fit`` also refuses what is too long for its format now.
    """
    problems: dict[str, Problem] = {}
    if resource_name not in RESOURCES:
        raise Invalid(
            {"resource": _unknown(N_("There is no resource “%(value)s”."), resource_name, RESOURCES)}
        )
    resource = get_resource(resource_name)
    problems |= _check_fields(resource, fields) | _check_sort(resource, sort)
    cleaned: dict[str, Any] = {}
    try:
        cleaned = get_format(file_format).clean_options(options)
    except Problem as problem:
        problems["format"] = problem
    if problems:
        raise Invalid(problems)
    chosen = {name: text for name, text in filters.items() if text}
    where_filters(resource, RecordQuery(resource), chosen)
    if must_fit:
        check_size(resource, file_format, chosen)
    return {"fields": list(fields), "filters": chosen, "sort": sort, "options": cleaned}


def _check_fields(resource: Resource, fields: Sequence[str]) -> dict[str, Problem]:
    known = [field.name for field in resource.fields]
    for name in fields:
        if name not in known:
            return {"fields": _unknown(N_("There is no field “%(value)s”."), name, known)}
        if fields.count(name) > 1:
            return {"fields": Problem(N_("The field “%(value)s” is chosen twice."), value=name)}
    return {}


def _check_sort(resource: Resource, sort: str) -> dict[str, Problem]:
    known = [field.name for field in resource.fields if field.sortable]
    if not sort or sort.removeprefix("-") in known:
        return {}
    return {"sort": _unknown(N_("Records cannot be sorted by “%(value)s”."), sort, known)}


def _unknown(message: str, value: str, known: Any) -> Problem:
    return Problem(message, N_("Use one of: %(known)s."), value=value, known=", ".join(known))
