"""Every error below ``/api`` in one shape: ``application/problem+json`` (RFC 9457), with what is wrong where."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import Response, g, json, request
from flask_babel import gettext as _
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException

from webapp.errors import Conflict, Forbidden, Invalid, NotFound, Outdated, Problem
from webapp.extensions import db
from webapp.filters import advice, sentence
from webapp.resources.base import N_

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPES_PAGE = "/api/v1/docs#problem-"
# Titles by status. What a type means stands on the page that it links to; see ``list_types``.
TITLES = {
    400: N_("The request cannot be read"),
    401: N_("A token is needed"),
    403: N_("This is not allowed"),
    404: N_("There is nothing here"),
    405: N_("That is not possible here"),
    409: N_("That is not possible now"),
    411: N_("The body names no length"),
    412: N_("It was changed meanwhile"),
    413: N_("That is too large"),
    415: N_("The body is of another kind"),
    416: N_("The file has no such part"),
    422: N_("That cannot be taken"),
    428: N_("Say which version you mean"),
    429: N_("Too many requests"),
    500: N_("Something went wrong"),
    503: N_("The database is busy"),
}
DETAILS = {
    400: N_("A value in the address or the body cannot be used. Correct it."),
    401: N_("Send “Authorization: Bearer …” with one of your tokens."),
    403: N_("The role of this token's user does not allow it. Ask an administrator if you need it."),
    404: N_("The address is wrong, or the thing was deleted or belongs to somebody else."),
    405: N_("The header Allow names the methods that this address knows."),
    409: N_("See what state it is in now, and whether it still is to be done."),
    411: N_("Send a Content-Length; a chunked body is not taken."),
    412: N_("Get it again, apply your change to what it is now, and send that."),
    413: N_("Send less at once, or ask an administrator to raise the limit."),
    415: N_("Send the media type that the specification names for this address."),
    416: N_("Ask for bytes that it has; the header Content-Range names its length."),
    422: N_("See errors for what is wrong where."),
    428: N_("Send If-Match with the ETag of the version that you have seen."),
    429: N_("Wait as many seconds as Retry-After says."),
    500: N_("It was recorded. Try again, or tell an administrator the request_id."),
    503: N_("Nothing was changed. Try again in a moment."),
}


def render_problem(error: Exception) -> Response:
    """Return the answer to an error, whatever raised it."""
    db.session.rollback()
    return next(render for kind, render in RENDERERS.items() if isinstance(error, kind))(error)


def make_problem(
    status: int, detail: str = "", errors: list[dict[str, Any]] | None = None, headers: Any = ()
) -> Response:
    """Return a problem; ``errors`` says what is wrong in which field or line."""
    name = status if status in TITLES else 500
    body: dict[str, Any] = {
        "type": f"{TYPES_PAGE}{name}",
        "title": _(TITLES[name]),
        "status": status,
        "detail": detail or (errors[0]["detail"] if errors else _(DETAILS.get(name, DETAILS[500]))),
        "request_id": g.get("request_id", ""),
    }
    if errors:
        body["errors"] = errors
    return Response(json.dumps(body), status, headers, content_type=MEDIA_TYPE)


def list_errors(problems: Mapping[str, Problem]) -> list[dict[str, Any]]:
    """Return the problems of fields as a problem's ``errors``; one of the whole names no field."""
    return [{"field": name or None, "detail": explain(problem)} for name, problem in problems.items()]


def explain(problem: Problem) -> str:
    """Return what is wrong and what to do, in the reader's language."""
    return " ".join(part for part in (sentence(problem), advice(problem)) if part)


def _render_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status >= 500:
        cause = getattr(error, "original_exception", None)
        log.error("Request %s to %s failed.", g.get("request_id"), request.path, exc_info=cause or error)
    data = getattr(error, "data", None) or {}  # as the parser leaves it
    errors = data.get("errors") or list(flatten_messages(data.get("messages") or {})) or None
    own = "" if errors or error.description == type(error).description else str(error.description)
    kept = [
        (name, value) for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")
    ]
    return make_problem(status, own, errors, kept)


def flatten_messages(messages: Any, path: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """Return what a schema found as a list: ``{"json": {"fields": {"0": [...]}}}`` is the field ``fields.0``."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from flatten_messages(inner, (*path, str(name)))
        return
    field = ".".join(part for part in path[1:] if part != "_schema") or None  # the first one is the location
    for message in messages if isinstance(messages, list) else [messages]:
        yield {"field": field, "detail": _(str(message))}


def _render_database_trouble(error: Exception) -> Response:
    log.error("Request %s to %s met a database error.", g.get("request_id"), request.path, exc_info=error)
    return make_problem(503)


def _render_unusable(error: Exception) -> Response:
    log.info("Request %s to %s held an unusable value: %s", g.get("request_id"), request.path, error)
    return make_problem(400)


RENDERERS: dict[type[Exception], Callable[[Any], Response]] = {
    HTTPException: _render_http,
    NotFound: lambda _error: make_problem(404),
    Forbidden: lambda _error: make_problem(403),
    Outdated: lambda _error: make_problem(412),
    Conflict: lambda error: make_problem(409, _(str(error))),
    Invalid: lambda error: make_problem(422, errors=list_errors(error.problems)),
    Problem: lambda error: make_problem(422, explain(error)),
    OperationalError: _render_database_trouble,
    DataError: _render_unusable,
    OverflowError: _render_unusable,
}
