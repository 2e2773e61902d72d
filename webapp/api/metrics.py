"""The dashboard's figures, as they were last computed."""

from flask import Response, jsonify

from webapp.api.blueprint import ApiBlueprint, ApiSchema
from webapp.api.metric_schemas import MetricsSchema
from webapp.conditional import make_conditional
from webapp.models.base import utc_now
from webapp.services.metrics import METRIC_KEYS, find_metrics, is_stale

blueprint = ApiBlueprint("metrics", __name__, description="The figures of the dashboard.")


class NoQuerySchema(ApiSchema):
    """An address that takes no parameters."""


@blueprint.get("/metrics")
@blueprint.arguments(NoQuerySchema, location="query")
@blueprint.response(200, MetricsSchema)
@blueprint.doc(responses={"304": {"description": "You have them already: their ETag is in If-None-Match."}})
def show_metrics(_query: dict[str, object]) -> Response:
    """Get the figures of the dashboard.

    They are computed every 5 minutes by a worker, never by this request. Until the first time, `computed_at` and
    the six keys are `null`.
    """
    found = find_metrics()
    computed_at = min(cached["computed_at"] for cached in found.values()) if found else None
    is_old = computed_at is None or is_stale(computed_at, utc_now())
    values = {key: found[key]["value"] if found else None for key in METRIC_KEYS}
    body = MetricsSchema().dump({"computed_at": computed_at, "is_stale": is_old, **values})
    answer = jsonify(body)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return make_conditional(answer)
