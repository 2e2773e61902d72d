"""What holds for every answer and every request: headers, sign-in, uploads without a length."""

import logging

from flask import Flask, Response, abort, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.exc import OperationalError

from config import Settings
from webapp.extensions import login
from webapp.models import User
from webapp.services import user_sessions
from webapp.services.user_sessions import Place

log = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
PUBLIC_ENDPOINTS = frozenset(
    {
        "static",
        "health.healthz",
        "health.readyz",
        "auth.login",
        "auth.sign_in",
        "invitations.show_link",
        "invitations.redeem_link",
        "settings.change_language",
    }
)
GUARDS_ITSELF = frozenset({"prometheus.show"})  # asks for a network or a token instead of a session

API_PREFIX = "/api/"
# For people, although they stand beside what they describe; the description itself is for both.
API_PAGES = frozenset({"api_docs.show"})


def is_api_request() -> bool:
    """Whether the answer is for a machine: by a token instead of a session, a problem instead of a page."""
    return request.path.startswith(API_PREFIX) and request.endpoint not in API_PAGES


def init_app(app: Flask, settings: Settings) -> None:
    """Guard an application: everything needs a signed-in user unless it is listed as public."""

    @app.before_request
    def require_length() -> None:
        # eventlet's server hands a chunked form on as an empty one: an upload would vanish silently.
        if request.method in {"POST", "PUT", "PATCH"} and "chunked" in request.headers.get(
            "Transfer-Encoding", ""
        ):
            abort(411)

    @app.before_request
    def require_user() -> ResponseReturnValue | None:
        if (
            request.endpoint is None
            or request.endpoint in PUBLIC_ENDPOINTS | GUARDS_ITSELF
            or is_api_request()
        ):
            return None  # webapp.api asks for a token
        return None if current_user.is_authenticated else login.unauthorized()

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "private, no-store")
            response.vary.add("HX-Request")
            response.vary.add("Cookie")
        if settings.is_production and request.is_secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response


def load_user(key: str) -> User | None:
    """Return the user in whose session cookie this key is; ``g.session_id`` then names the session.

    ``g.last_event_id`` is the newest event that the answer surely knows of: its page listens from there on.
    """
    found = user_sessions.find_session(key)
    if found is None:
        return None
    g.session_id, g.last_event_id = found.id, found.last_event_id
    if user_sessions.is_note_due(found):
        try:
            user_sessions.note_seen(found, get_place())
        except OperationalError:  # no page fails because its visit cannot be noted
            log.debug("The visit of session %s is noted another time.", g.session_id)
    return found.user


def get_place() -> Place:
    """Return from where the request comes."""
    return Place(request.remote_addr or "", request.user_agent.string)


def is_own_path(target: str | None) -> bool:
    """Whether a ``next=`` leads to a page of ours: one slash, no backslash, no control characters."""
    return bool(
        target
        and target.startswith("/")
        and not target.startswith("//")
        and "\\" not in target
        and target.isprintable()
    )
