"""Asking for an import: the file and every decision in one request."""

from typing import Any

from flask import request
from flask_smorest.fields import Upload
from marshmallow import ValidationError, fields, validate
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import BadRequest

from webapp.api.auth import current_actor, require_write
from webapp.api.blueprint import ApiBlueprint, ApiSchema
from webapp.api.idempotency import IDEMPOTENT, read_key
from webapp.api.job_schemas import JobSchema
from webapp.api.jobs import answer_accepted
from webapp.api.parser import parse_json
from webapp.forms import upload_limit
from webapp.resources.base import N_
from webapp.resources.registry import IMPORTABLE
from webapp.services.import_options import CHOICES, DEFAULT_OPTIONS
from webapp.services.import_overrides import DATE_ORDERS, SHAPE
from webapp.services.import_requests import ImportRequest, request_import

READING = (*SHAPE, "decimal", "date_order")

blueprint = ApiBlueprint("imports", __name__, description="Files into records.")


@blueprint.before_request
def allow_upload() -> None:
    """Check who may send a file before it is read, and let it be as large as files may be."""
    require_write()
    request.max_content_length = upload_limit()


class JsonText(fields.Field[dict[str, Any]]):
    """JSON inside a form's field: an object."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            found = parse_json(str(value))
        except BadRequest as error:
            raise ValidationError(str(error.description)) from None
        if not isinstance(found, dict):
            raise ValidationError(N_("This is not a JSON object."))
        return found


def _choice(name: str, description: str) -> fields.Field[Any]:
    return fields.String(
        validate=validate.OneOf(CHOICES[name]),
        load_default=DEFAULT_OPTIONS[name],
        metadata={"description": description},
    )


def _check_file(value: Any) -> None:
    if not isinstance(value, FileStorage):
        raise ValidationError(N_("This is no file."))


class ImportSchema(ApiSchema):
    """A file, and what is to be done with it."""

    file = Upload(required=True, validate=_check_file, metadata={"description": "CSV, XLSX, JSON or NDJSON."})
    resource = fields.String(required=True, metadata={"enum": list(IMPORTABLE)})
    mapping = JsonText(
        metadata={
            "type": "string",
            "contentMediaType": "application/json",
            "description": 'JSON: `{"title": "Name of the article"}`, or an object with column, default and'
            " values. Without one the columns are recognised by their names.",
        }
    )
    on_error = _choice("on_error", "skip: take the good rows. abort: take all rows or none.")
    mode = _choice("mode", "Whether records may be created, updated, or both.")
    empty = _choice("empty", "What an empty cell does to a record's value.")
    repeated = _choice("repeated", "What becomes of a movement that stands twice in the file.")
    dry_run = fields.Boolean(load_default=False, metadata={"description": "Check every row and save none."})
    create_missing = fields.String(
        load_default="",
        metadata={"description": "Fields whose missing records are created, with commas between."},
    )
    confirm_repeat = fields.Boolean(
        load_default=False,
        metadata={"description": "Import a file again whose movements have no reference."},
    )
    encoding = fields.String(metadata={"description": "Instead of the detected one, such as cp1252."})
    delimiter = fields.String(metadata={"description": "One character."})
    quote = fields.String(metadata={"description": "One character; empty when the file has none."})
    header_line = fields.Integer(validate=validate.Range(1), metadata={"description": "From 1."})
    sheet = fields.String(metadata={"description": "The sheet of a workbook."})
    decimal = fields.String(validate=validate.OneOf((".", ",")))
    date_order = fields.String(validate=validate.OneOf(DATE_ORDERS))


@blueprint.post("/imports")
@blueprint.arguments(ImportSchema, location="multipart")
@blueprint.response(202, JobSchema)
@blueprint.doc(**IDEMPOTENT)
def create_import_job(asked: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Send a file to import.

    One job reads it, checks every row and saves what is right; rows that are not taken are at its `errors_url`.
    """
    upload = asked["file"]
    options = {name: asked[name] for name in CHOICES} | {
        "create_missing": [name for name in asked["create_missing"].replace(",", " ").split() if name]
    }
    wanted = ImportRequest(
        resource=asked["resource"],
        file_name=upload.filename or "upload",
        mapping=asked.get("mapping"),
        options=options,
        overrides={name: asked[name] for name in READING if name in asked},
        confirm_repeat=asked["confirm_repeat"],
    )
    return answer_accepted(request_import(current_actor(), upload.stream, wanted, key=read_key()))
