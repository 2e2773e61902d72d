"""The events of a user for scripts: the log that browsers get through their sockets, by the same cursor."""

from typing import Any

from flask import request, url_for
from marshmallow import fields, validate

from webapp.api.auth import current_actor
from webapp.api.blueprint import ApiBlueprint, ApiSchema
from webapp.api.fields import Moment
from webapp.live import EVENT_NAMES
from webapp.services import events

BIGGEST_ID = 2**63 - 1
MOST_EVENTS = 500

blueprint = ApiBlueprint("events", __name__, description="What happened that concerns you.")


class EventQuerySchema(ApiSchema):
    """Where to go on, and how far."""

    after = fields.Integer(
        load_default=None,
        validate=validate.Range(0, BIGGEST_ID),
        metadata={
            "description": "The `last_id` of the answer before, or of a socket. Without it: no events."
        },
    )
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_EVENTS))


class EventSchema(ApiSchema):
    """One thing to look at again."""

    id = fields.Integer(required=True)
    at = Moment(required=True)
    name = fields.String(required=True, metadata={"enum": list(EVENT_NAMES)})
    data = fields.Dict(
        keys=fields.String(), required=True, metadata={"description": "Ids, numbers and short texts."}
    )


class EventListSchema(ApiSchema):
    """Events, oldest first."""

    items = fields.List(fields.Nested(EventSchema), required=True)
    last_id = fields.Integer(
        required=True, metadata={"description": "The `after` of the next request, now or later."}
    )
    next = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The address of the next page; null when there are no more for now."},
    )
    is_complete = fields.Boolean(
        required=True,
        metadata={
            "description": "False: `after` is older than the oldest event that is kept, so some may be missing."
        },
    )


@blueprint.get("/events")
@blueprint.arguments(EventQuerySchema, location="query")
@blueprint.response(200, EventListSchema)
def list_events(query: dict[str, Any]) -> dict[str, Any]:
    """List your events after a cursor, oldest first.

    Begin without `after`: the answer holds no events, but the `last_id` to go on from. Events are kept for two
    days. If `after` is older than the oldest that is kept, the answer begins with that one and `is_complete` is
    false: then look at the things themselves, such as your jobs. Progress of jobs is thinned out; ends of jobs
    are not. An `after` from the future counts as the newest.
    """
    page = events.list_events(current_actor(), query["after"], query["limit"])
    following = request.args.to_dict() | {"after": str(page.last_id)}
    return {
        "items": page.events,
        "last_id": page.last_id,
        "next": url_for("api_events.list_events", **following) if page.has_more else None,  # type: ignore[arg-type]
        "is_complete": page.is_complete,
    }
