"""Asking for an export."""

from typing import Any

from marshmallow import fields, validate

from webapp.api.auth import current_actor
from webapp.api.blueprint import ApiBlueprint, ApiSchema
from webapp.api.idempotency import IDEMPOTENT, read_key
from webapp.api.job_schemas import JobSchema
from webapp.api.jobs import answer_accepted
from webapp.locale import choose_language
from webapp.pipeline.formats import FORMATS
from webapp.resources.registry import RESOURCES
from webapp.services.exports import request_export

MOST_FIELDS = 100

blueprint = ApiBlueprint("exports", __name__, description="Records as files.")


class ExportSchema(ApiSchema):
    """What to export and how."""

    resource = fields.String(required=True, metadata={"enum": list(RESOURCES)})
    format = fields.String(required=True, metadata={"enum": list(FORMATS)})
    fields_ = fields.List(
        fields.String(),
        data_key="fields",
        load_default=[],
        validate=validate.Length(max=MOST_FIELDS),
        metadata={"description": "The columns in order; all when empty."},
    )
    filters = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default={},
        metadata={"description": 'As in the address of the list: `{"brand": "Acme", "q": "lamp"}`.'},
    )
    sort = fields.String(load_default="", metadata={"description": "A field; with - before it, downwards."})
    options = fields.Dict(
        keys=fields.String(),
        load_default={},
        metadata={"description": 'Of the format, such as `{"delimiter": "semicolon", "gzip": true}`.'},
    )


@blueprint.post("/exports")
@blueprint.arguments(
    ExportSchema, example={"resource": "products", "format": "csv", "filters": {"q": "lamp"}}
)
@blueprint.response(202, JobSchema)
@blueprint.doc(**IDEMPOTENT)
def create_export_job(asked: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Ask for an export.

    The answer is its job, where to watch it is in `Location`; its `download_url` leads to the file once it has
    ended. A file for people (PDF) is in the language of `Accept-Language`.
    """
    job = request_export(
        current_actor(),
        asked["resource"],
        asked["format"],
        fields=asked["fields_"],
        filters=asked["filters"],
        sort=asked["sort"],
        options=asked["options"],
        language=choose_language(),
        key=read_key(),
    )
    return answer_accepted(job)
