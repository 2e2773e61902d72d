"""Signing in and out."""

from flask import Blueprint, current_app, g, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from webapp.extensions import limiter, login
from webapp.forms import LoginForm
from webapp.htmx import go_to
from webapp.security import get_place, is_own_path
from webapp.services import accounts, user_sessions

blueprint = Blueprint("auth", __name__)


@blueprint.record_once
def send_strangers_here(_state: BlueprintSetupState) -> None:
    """Tell Flask-Login where to sign in; the page itself says why, so nothing is flashed."""
    login.login_view = "auth.login"
    login.login_message = ""


@blueprint.get("/login", endpoint="login")
def show_login() -> ResponseReturnValue:
    """Show the form, unless there is nothing to sign in for."""
    if current_user.is_authenticated:
        return go_to(_next_page())
    return render_template("auth/login.html", form=LoginForm(), next=request.args.get("next", ""))


@blueprint.post("/login")
@limiter.limit("10 per minute")
def sign_in() -> ResponseReturnValue:
    """Start a session. The answer never tells whether the address is known."""
    form = LoginForm()
    user = None
    if form.validate_on_submit():
        user = accounts.authenticate(form.email.data or "", form.password.data or "")
    if user is None:
        error = "" if form.errors else _("The e-mail address or the password is not right.")
        page = render_template("auth/login.html", form=form, next=request.args.get("next", ""), error=error)
        return page, 422
    clear_session()
    user.session_key = user_sessions.create_session(user, get_place())
    login_user(user)
    session.permanent = True
    return go_to(_next_page())


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """End the session on this browser."""
    user_sessions.end_own_session(g.session_id)
    logout_user()
    clear_session()
    return go_to(url_for("auth.login"))


def clear_session() -> None:
    """Leave nothing of the session before but the language: what it held was another person's, maybe."""
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language


def _next_page() -> str:
    """Return where the reader was going, if that is one of our pages."""
    target = request.args.get("next", "")
    home = url_for("dashboard.show")
    if not is_own_path(target):
        return home
    try:
        current_app.url_map.bind("").match(target.partition("?")[0], method="GET")
    except RequestRedirect:
        return target
    except HTTPException:
        return home  # it was the address of a form, or of nothing
    return target
