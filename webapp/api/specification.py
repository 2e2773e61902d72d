"""The specification (OpenAPI 3.1), generated from the declarations of all routes when it is first asked for."""

from http import HTTPStatus
from typing import Any

import flask_smorest
from flask import Flask, current_app, jsonify
from flask.typing import ResponseReturnValue
from marshmallow import fields

from webapp.api.blueprint import ApiBlueprint, ApiSchema
from webapp.api.problems import MEDIA_TYPE, TITLES
from webapp.version import get_version

EXTENSION = "stockroom_specification"
OPENAPI = "3.1.0"
DESCRIPTION = (
    "Everything that the pages do, for scripts and other systems. Every request brings a token of a user:"
    " `Authorization: Bearer sr_…`. Amounts are decimal texts, moments are ISO 8601, answered in UTC and taken in the"
    " zone of the house where they name none; references are the keys of other records. Errors are `application/problem+json` (RFC 9457)."
)

blueprint = ApiBlueprint("specification", __name__, description="This description.")


class ProblemErrorSchema(ApiSchema):
    """One thing that is wrong, and where."""

    field = fields.String(allow_none=True, metadata={"description": "The field, or null for the whole."})
    line = fields.Integer(metadata={"description": "The line of the body, from 1, where it is no JSON."})
    detail = fields.String(required=True, metadata={"description": "What is wrong and what to do."})


class ProblemSchema(ApiSchema):
    """An error, as RFC 9457 has it."""

    type = fields.String(required=True, metadata={"format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    request_id = fields.String(required=True, metadata={"description": "Names the request in the logs."})
    errors = fields.List(fields.Nested(ProblemErrorSchema))


class Specification(flask_smorest.Api):
    """Flask-smorest's collector of routes. Pages and answers to errors are ours, so it registers none."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """Errors are answered in ``problems``."""

    def _register_pagination_header(self) -> None:
        """Pages are linked in the body."""

    def _register_responses(self) -> None:
        """Name the problems that an operation may answer with."""
        content = {MEDIA_TYPE: {"schema": ProblemSchema}}
        for status in HTTPStatus:
            description = TITLES.get(status, status.phrase)
            self.spec.components.response(
                status.name, {"description": description, "content": content}, lazy=True
            )
        every = {"description": "What is wrong, and where.", "content": content}
        self.spec.components.response(self.DEFAULT_ERROR_RESPONSE_NAME, every, lazy=True)


def get_specification() -> dict[str, Any]:
    """Return the specification of the application at hand."""
    found: dict[str, Any] | None = current_app.extensions.get(EXTENSION)
    if found is None:
        found = current_app.extensions[EXTENSION] = build_specification(current_app)
    return found


def build_specification(app: Flask) -> dict[str, Any]:
    """Collect what all routes of the API take and answer."""
    api = Specification()
    options = {"title": "Stockroom", "version": get_version(), "openapi_version": OPENAPI}
    token = {"type": "http", "scheme": "bearer", "description": "A token of a user, from the page Account."}
    api.init_app(
        app, spec_kwargs=options | {"info": {"description": DESCRIPTION}, "security": [{"token": []}]}
    )
    api.spec.components.security_scheme("token", token)
    for part in app.blueprints.values():
        if isinstance(part, ApiBlueprint):
            part.register_views_in_doc(api, app, api.spec, name=part.name, parameters=None)
            api.spec.tag({"name": part.tag, "description": part.description})
    found: dict[str, Any] = api.spec.to_dict()
    return {"openapi": found["openapi"], **found}  # what it is comes first


@blueprint.get("/openapi.json")
@blueprint.response(200, {"type": "object"}, description="OpenAPI 3.1")
def show() -> ResponseReturnValue:
    """Get this description, for programs that make clients of it."""
    return jsonify(get_specification())
