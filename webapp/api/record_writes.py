"""Changing the records of a kind one by one: created, changed and deleted, nobody's change lost without a word."""

from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import Conflict, PreconditionFailed, PreconditionRequired

from webapp.api.auth import current_actor, require_write
from webapp.api.blueprint import ApiBlueprint
from webapp.api.idempotency import IDEMPOTENT, digest_request, read_key
from webapp.api.problems import explain
from webapp.api.record_answers import ETAG, RECORD, Answer, answer_record
from webapp.api.record_schemas import RecordSchemas
from webapp.errors import Invalid
from webapp.resources.base import Resource
from webapp.services import record_deletion, record_entries
from webapp.services.record_editing import get_values

IF_MATCH: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": "If-Match",
            "required": False,
            "schema": {"type": "string"},
            "description": "The ETag of the version that you have seen, or * for whichever it is. 428 without one,"
            " 412 when somebody else was quicker.",
        }
    ]
}


def add_writing(blueprint: ApiBlueprint, resource: Resource, schemas: RecordSchemas) -> None:
    """Add the addresses that change one record."""

    @blueprint.before_request
    def check_scope() -> None:
        if request.method != "GET":
            require_write()

    @blueprint.post(f"/{resource.name}")
    @blueprint.arguments(schemas.new)
    @blueprint.response(201, schemas.record, headers=ETAG)
    @blueprint.doc(**IDEMPOTENT)
    def create_record(values: dict[str, Any]) -> Answer:
        """Create a record.

        What has a record of the same key is refused. Sent again with the same `Idempotency-Key` within a day it
        answers the record that there is.
        """
        record_id = record_entries.create_record(
            current_actor(), resource, values, key=read_key(), digest=digest_request()
        )
        values, status, headers = answer_record(resource, record_id, 201)
        return values, status, headers | {"Location": url_for(".show_record", record_id=record_id)}

    @blueprint.patch(RECORD.format(resource.name))
    @blueprint.arguments(schemas.change)
    @blueprint.response(200, schemas.record, headers=ETAG)
    @blueprint.doc(**IF_MATCH)
    def update_record(values: dict[str, Any], record_id: int) -> Answer:
        """Change fields of a record.

        What is left out stays as it is, null empties a field. `If-Match` says which version you have seen.
        """
        record_entries.update_record(
            current_actor(), resource, record_id, values, check_match(resource, record_id)
        )
        return answer_record(resource, record_id)

    @blueprint.delete(RECORD.format(resource.name))
    @blueprint.response(204)
    @blueprint.doc(**IF_MATCH)
    def delete_record(record_id: int) -> None:
        """Delete a record.

        What others refer to stays, and so does a movement without which the stock would fall below zero: 409 says
        so. `If-Match` says which version you have seen.
        """
        version = check_match(resource, record_id)
        try:
            record_deletion.delete_record(
                current_actor(), resource, record_id, version, source=record_entries.SOURCE
            )
        except Invalid as error:
            raise Conflict(explain(error.problems[""])) from None


def check_match(resource: Resource, record_id: int) -> int | None:
    """Return the version that the caller has seen, None for whichever it is, by the header If-Match.

    Raises 428 without the header, 404 without the record and 412 when the record is at another version.
    """
    if not request.headers.get("If-Match", "").strip():
        raise PreconditionRequired(_("Send If-Match with the ETag of the version that you have seen."))
    version = int(get_values(resource, record_id)["version"])
    if request.if_match.star_tag:
        return None
    if not request.if_match.contains(str(version)):
        raise PreconditionFailed
    return version
