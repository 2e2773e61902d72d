"""Many records of a kind in one request, each with its outcome."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import marshmallow
from flask import request
from marshmallow import ValidationError, fields, validate

from webapp.api.auth import current_actor
from webapp.api.blueprint import ApiBlueprint, ApiSchema
from webapp.api.idempotency import IDEMPOTENT, digest_request, read_key
from webapp.api.problems import explain, flatten_messages
from webapp.api.record_schemas import RecordSchemas, SchemaClass, make_schema
from webapp.api.specification import ProblemErrorSchema
from webapp.extensions import settings
from webapp.resources.base import N_, Resource
from webapp.resources.types import Problem
from webapp.services.import_options import list_creatable
from webapp.services.record_batch import CHUNK, Batch, Outcome, save_batch
from webapp.services.record_plan import MODES

STATUSES = ("created", "updated", "unchanged", "failed")

View = Callable[..., Any]


class OutcomeSchema(ApiSchema):
    """What became of one record."""

    line = fields.Integer(required=True, metadata={"description": "Its place in the batch, from 1."})
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    id = fields.Integer(required=True, allow_none=True, metadata={"description": "Null when it has failed."})
    errors = fields.List(fields.Nested(ProblemErrorSchema), required=True)


class BatchResultSchema(ApiSchema):
    """What became of a batch."""

    created = fields.Integer(required=True)
    updated = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    results = fields.List(fields.Nested(OutcomeSchema), required=True)


class Rows(fields.List[Any]):
    """Records that are checked one by one, later: what is wrong with one is its own outcome."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        limit = settings().api_batch_records
        if len(value) > limit:
            problem = Problem(
                N_("These are %(count)s records; a batch takes %(limit)s at most."),
                N_("Send several batches, or import them as a file."),
                count=len(value),
                limit=limit,
            )
            raise ValidationError(explain(problem))
        return value


def add_batches(blueprint: ApiBlueprint, resource: Resource, schemas: RecordSchemas) -> None:
    """Add the address that takes many records."""
    body = _build_body(resource, schemas)

    @blueprint.post(f"/{resource.name}:batch")
    @_allow_large_body
    @blueprint.arguments(body)
    @blueprint.response(200, BatchResultSchema)
    @blueprint.doc(**IDEMPOTENT)
    def save_records(asked: dict[str, Any]) -> dict[str, Any]:
        """Save many records at once.

        Each is matched by its key, as an import does it, and created or changed: what is left out stays as it
        is, null empties a field. What fails takes nothing with it; its reasons are in `results`. Sent again
        with the same `Idempotency-Key` within a day, nothing is saved twice and the answer is the same.
        """
        refused, entries = check_rows(schemas.row(), asked["records"])
        batch = Batch(resource, entries, asked["mode"], asked["create_missing"])
        saved = save_batch(current_actor(), batch, key=read_key(), digest=digest_request())
        return answer_batch([*refused, *map(describe_outcome, saved)])


def _allow_large_body(view: View) -> View:
    """Let the body be as large as a batch may be."""

    @wraps(view)
    def allow(*args: Any, **kwargs: Any) -> Any:
        request.max_content_length = settings().api_batch_mb << 20
        return view(*args, **kwargs)

    return allow


def _build_body(resource: Resource, schemas: RecordSchemas) -> SchemaClass:
    creatable = [item.name for item in list_creatable(resource)]
    values = {
        "records": Rows(
            fields.Nested(schemas.row),
            required=True,
            metadata={"description": "A thousand at most, or as many as the house has set."},
        ),
        "mode": fields.String(
            load_default="upsert",
            validate=validate.OneOf(MODES),
            metadata={"description": "Whether records may be created, updated, or both."},
        ),
        "create_missing": fields.List(
            fields.String(validate=validate.OneOf(creatable)),
            load_default=[],
            metadata={"description": "Fields whose missing records are created."},
        ),
    }
    return make_schema(resource, "Batch", f"{resource.label_plural}: many at once.", values)


def check_rows(
    schema: marshmallow.Schema, rows: list[Any]
) -> tuple[list[dict[str, Any]], dict[int, dict[str, Any]]]:
    """Return the outcomes of those that cannot even be read, and the values of the others by their places."""
    refused, entries = [], {}
    for line, row in enumerate(rows, 1):
        if line % CHUNK == 0:
            time.sleep(0)  # in web this is where others have their turn
        try:
            entries[line] = dict(schema.load(row))
        except ValidationError as error:
            errors = list(flatten_messages({"json": error.messages}))
            refused.append({"line": line, "status": "failed", "id": None, "errors": errors})
    return refused, entries


def describe_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome with its reasons in the caller's language."""
    errors = [{"field": name or None, "detail": explain(problem)} for name, problem in outcome.problems]
    return {"line": outcome.line, "status": outcome.status, "id": outcome.record_id, "errors": errors}


def answer_batch(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the outcomes in the order of the records, and how many there are of each."""
    counts = {status: sum(one["status"] == status for one in results) for status in STATUSES}
    return counts | {"results": sorted(results, key=lambda one: one["line"])}
