"""Who asks: every request below ``/api`` brings the token of a user. A browser's session counts for nothing here."""

from flask import g, request
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from webapp.models import ApiToken, User
from webapp.services.api_tokens import authenticate_token, can_write

SCHEME = "bearer"
REALM = "Stockroom"
DESCRIPTION = "api_specification.show"


def authenticate_request() -> None:
    """Let pass who brings a token that works; everybody else gets 401. ``g.api_token`` then holds it.

    The description is also for who reads the page of it.
    """
    if request.endpoint == DESCRIPTION and current_user.is_authenticated:
        return
    scheme, _blank, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != SCHEME or not key.strip():
        raise _unauthorized(
            _("The request brings no token. Send “Authorization: Bearer …” with one of yours.")
        )
    token = authenticate_token(key.strip())
    if token is None:
        raise _unauthorized(
            _("This token does not work: it is unknown, expired or revoked. Make another one."),
            "invalid_token",
        )
    g.api_token = token


def _unauthorized(detail: str, error: str = "") -> Unauthorized:
    challenge: dict[str, str | None] = {"realm": REALM}
    if error:
        challenge["error"] = error
    return Unauthorized(detail, www_authenticate=WWWAuthenticate(SCHEME, challenge))


def current_token() -> ApiToken:
    """Return the token of the request at hand."""
    token: ApiToken = g.api_token
    return token


def current_actor() -> User:
    """Return the user whose token it is: who acts, for the services."""
    return current_token().user


def require_write() -> None:
    """Refuse a token that may only read: before whatever changes records. The services check the role again."""
    if can_write(current_token()):
        return
    if current_token().scope == "read":
        raise Forbidden(_("This token may only read. Make one for reading and writing."))
    raise Forbidden(_("The role of this token's user only allows reading. Ask an administrator for another."))
