"""One's own account: the password, the browsers that are signed in, the API tokens."""

from flask import Blueprint, flash, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.errors import Invalid, Problem
from webapp.extensions import limiter
from webapp.htmx import go_to
from webapp.routes import token_pages
from webapp.routes.access_words import PASSWORDS_DIFFER, TOKEN_DAYS, offered_scopes
from webapp.services import accounts, api_tokens, user_sessions
from webapp.services.passwords import SHORTEST_PASSWORD

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("/")
def show() -> ResponseReturnValue:
    """Show everything that a user decides about themselves."""
    return _show({})


@blueprint.post("/password")
@limiter.limit("10 per minute")
def change_password() -> ResponseReturnValue:
    """Take a new password; all other browsers are signed out."""
    current, new = request.form.get("current", ""), request.form.get("new", "")
    if new != request.form.get("again", ""):
        return _show({"again": PASSWORDS_DIFFER})
    try:
        accounts.change_password(current_user, current, new, keep_session=g.session_id)
    except Invalid as error:
        return _show(error.problems)
    flash(_("Your password is changed. You are signed out everywhere else."))
    return go_to(url_for("account.show"))


@blueprint.post("/sessions/deletion")
def end_sessions() -> ResponseReturnValue:
    """Sign out everywhere, here too."""
    user_sessions.end_all_sessions(current_user, current_user.id)
    return go_to(url_for("auth.login"))


@blueprint.post("/sessions/<int:session_id>/deletion")
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign one browser out."""
    user_sessions.end_session(current_user, current_user.id, session_id)
    if session_id == g.session_id:
        return go_to(url_for("auth.login"))
    flash(_("That browser is signed out."))
    return go_to(url_for("account.show"))


@blueprint.post("/tokens/")
def create_token() -> ResponseReturnValue:
    """Make a token and show it, this once."""
    name, scope = request.form.get("name", ""), request.form.get("scope", "read")
    days = TOKEN_DAYS.get(request.form.get("days", ""), (90, ""))[0]
    try:
        token, key = api_tokens.create_token(current_user, name, days=days, scope=scope)
    except Invalid as error:
        return _show({f"token-{field}": problem for field, problem in error.problems.items()}, name=name)
    return render_template("account/token.html", token=token, key=key)


@blueprint.post("/tokens/<int:token_id>/revocation")
def revoke_token(token_id: int) -> ResponseReturnValue:
    """Let one of the user's own tokens work no more."""
    url = url_for("account.revoke_token", token_id=token_id)
    return token_pages.revoke(token_id, url, url_for("account.show"))


def _show(problems: dict[str, Problem], *, name: str = "") -> ResponseReturnValue:
    page = render_template(
        "account/show.html",
        sessions=user_sessions.list_sessions(current_user, current_user.id, g.session_id),
        tokens=api_tokens.list_tokens(current_user, current_user.id),
        current_session=g.session_id,
        problems=problems,
        token_name=name,
        token_days={value: words for value, (_days, words) in TOKEN_DAYS.items()},
        scopes=offered_scopes(current_user),
        shortest=SHORTEST_PASSWORD,
    )
    return page, 422 if problems else 200
