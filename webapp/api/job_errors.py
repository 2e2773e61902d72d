"""The rows that an import did not take: as JSON with each reason, or as a file to correct and send again."""

import uuid
from typing import Any

from flask import Response, request, stream_with_context, url_for
from flask_babel import gettext as _
from marshmallow import fields, validate
from werkzeug.exceptions import NotFound as NoSuchThing

from webapp.api.auth import current_actor
from webapp.api.blueprint import ApiSchema
from webapp.api.job_schemas import RowErrorListSchema
from webapp.api.jobs import blueprint
from webapp.api.problems import explain
from webapp.errors import Problem
from webapp.extensions import db
from webapp.models import DataImport, ImportRowError
from webapp.routes.downloads import build_disposition
from webapp.services import import_errors, jobs

__all__ = ["blueprint"]

MOST_ERRORS = 1_000
LARGEST = 2**31 - 1
CSV = "text/csv"


class ErrorQuerySchema(ApiSchema):
    """Which reasons, and how."""

    format = fields.String(
        validate=validate.OneOf(("json", "csv")),
        metadata={"description": "Instead of the header Accept: csv is the rows themselves, to correct."},
    )
    after = fields.String(
        validate=validate.Regexp(r"^[0-9]{1,9}-[0-9]{1,18}$"), metadata={"description": "As next has it."}
    )
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_ERRORS))


@blueprint.get("/jobs/<uuid:task_id>/errors")
@blueprint.arguments(ErrorQuerySchema, location="query")
@blueprint.response(200, RowErrorListSchema)
@blueprint.alt_response(
    200,
    schema={"type": "string"},
    content_type=CSV,
    description="The rows that were not taken.",
    success=True,
)
def list_errors(query: dict[str, Any], task_id: uuid.UUID) -> dict[str, Any] | Response:
    """List the rows that an import did not take, with the reasons.

    They are of the import's last check or run. As CSV they come as they were, with the reasons in a last column:
    correct them and send that file again.
    """
    job = jobs.get_job(current_actor(), str(task_id))
    data_import = db.session.get(DataImport, job.data_import_id) if job.data_import_id else None
    if data_import is None:
        raise NoSuchThing(_("Only an import has rows that were not taken."))
    if _wants_csv(query.get("format")):
        return _send_rows(data_import)
    after = tuple(map(int, query["after"].split("-"))) if "after" in query else None
    found = import_errors.list_row_errors(data_import, after=after, limit=query["limit"] + 1)  # type: ignore[arg-type]
    page = found[: query["limit"]]
    following = request.args.to_dict() | {"after": f"{page[-1].line}-{page[-1].id}"} if page else {}
    return {
        "items": [_describe(item) for item in page],
        "next": url_for("api_jobs.list_errors", task_id=task_id, **following)  # type: ignore[arg-type]
        if len(found) > len(page)
        else None,
    }


def _wants_csv(asked: str | None) -> bool:
    accepted = request.accept_mimetypes.best_match(["application/json", CSV])
    return asked == "csv" or (asked is None and accepted == CSV)


def _send_rows(data_import: DataImport) -> Response:
    rows = stream_with_context(import_errors.open_failed_rows(data_import))
    response = Response(rows, content_type=f"{CSV}; charset=utf-8")
    stem = data_import.file_name.rpartition(".")[0] or data_import.file_name
    response.headers["Content-Disposition"] = build_disposition(f"{stem}-errors.csv")
    return response


def _describe(item: ImportRowError) -> dict[str, Any]:
    reason = Problem(item.message, item.advice, **item.params)
    return {"line": item.line, "column": item.column, "value": item.value, "detail": explain(reason)}
