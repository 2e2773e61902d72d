"""Users, for administrators: who they are, what they may do, where they are signed in."""

from flask import Blueprint, flash, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.errors import Conflict, Invalid, Problem
from webapp.htmx import go_to, render_page
from webapp.models import ROLES
from webapp.routes import access_words, token_pages
from webapp.routes.flashes import flash_refusal
from webapp.routes.guards import require_admin
from webapp.routes.invitations import link_url
from webapp.routes.questions import ask
from webapp.services import api_tokens, user_links, user_sessions, users
from webapp.services.user_links import MadeLink

blueprint = Blueprint("users", __name__, url_prefix="/users")
blueprint.before_request(require_admin)
access_words.init_blueprint(blueprint)


@blueprint.get("/")
def list_users() -> ResponseReturnValue:
    """List the users."""
    text = request.args.get("q", "").replace("\0", "").strip()
    after = request.args.get("after", "").replace("\0", "")
    rows, next_after = users.list_users(current_user, text=text, after=after)
    return render_page(
        "users/list.html", "users/_table.html", rows=rows, next_after=next_after, after=after, text=text
    )


@blueprint.get("/new")
def new_user() -> ResponseReturnValue:
    """Show the form for an invitation."""
    return _show_form()


@blueprint.post("/")
def create_user() -> ResponseReturnValue:
    """Invite somebody, and show the link, this once."""
    email, role = request.form.get("email", ""), request.form.get("role", "")
    try:
        made = user_links.invite_user(current_user, email, role)
    except Invalid as error:
        return _show_form(email, role, error.problems)
    return _show_link(made)


@blueprint.get("/tokens/")
def list_tokens() -> ResponseReturnValue:
    """List everybody's API tokens."""
    before = request.args.get("before", type=int)
    tokens, next_before = api_tokens.list_all_tokens(current_user, before=before)
    return render_template("users/tokens.html", tokens=tokens, next_before=next_before, before=before)


@blueprint.post("/tokens/<int:token_id>/revocation")
def revoke_token(token_id: int) -> ResponseReturnValue:
    """Let anybody's token work no more; back to the page that it was asked on."""
    owner = request.args.get("user", type=int)
    url = url_for("users.revoke_token", token_id=token_id, user=owner)
    back = url_for("users.show_user", user_id=owner) if owner else url_for("users.list_tokens")
    return token_pages.revoke(token_id, url, back)


@blueprint.get("/<int:user_id>")
def show_user(user_id: int) -> ResponseReturnValue:
    """Show one user."""
    user = users.get_user_by_id(current_user, user_id)
    return render_template(
        "users/show.html",
        user=user,
        roles=ROLES,
        sessions=user_sessions.list_sessions(current_user, user_id, g.session_id),
        tokens=api_tokens.list_tokens(current_user, user_id),
        current_session=g.session_id,
    )


@blueprint.post("/<int:user_id>/role")
def change_role(user_id: int) -> ResponseReturnValue:
    """Give a user another role."""
    try:
        user = users.change_role(current_user, user_id, request.form.get("role", ""))
    except Conflict as error:
        flash_refusal(error)
        return _go_to_user(user_id)
    flash(_("%(email)s: %(role)s.", email=user.email, role=access_words.role_label(user.role)))
    if user.id == current_user.id and not user.is_admin:
        return go_to(url_for("account.show"))
    return _go_to_user(user_id)


@blueprint.post("/<int:user_id>/switch")
def switch_user(user_id: int) -> ResponseReturnValue:
    """Disable a user, once that is confirmed, or enable them."""
    user = users.get_user_by_id(current_user, user_id)
    if request.form.get("state") == "on":
        users.enable_user(current_user, user_id)
        flash(_("%(email)s can sign in again.", email=user.email))
        return _go_to_user(user_id)
    if request.form.get("confirmed") != "yes":
        return _ask_to_disable(user_id, user.email)
    try:
        users.disable_user(current_user, user_id)
    except Conflict as error:
        flash_refusal(error)
    else:
        flash(_("%(email)s is disabled and signed out everywhere.", email=user.email))
    return _go_to_user(user_id)


def _ask_to_disable(user_id: int, email: str) -> ResponseReturnValue:
    return ask(
        _("Disable %(email)s?", email=email),
        _(
            "They are signed out everywhere at once and cannot sign in, and their API tokens stop working."
            " What they did stays. You can enable them again."
        ),
        _("Disable"),
        url_for("users.switch_user", user_id=user_id),
        url_for("users.show_user", user_id=user_id),
    )


@blueprint.post("/<int:user_id>/links")
def create_link(user_id: int) -> ResponseReturnValue:
    """Make a link by which a user sets their password, and show it, this once."""
    return _show_link(user_links.create_link(current_user, user_id))


@blueprint.post("/<int:user_id>/sessions/deletion")
def end_sessions(user_id: int) -> ResponseReturnValue:
    """Sign a user out everywhere."""
    user_sessions.end_all_sessions(current_user, user_id)
    flash(_("Signed out everywhere."))
    return _go_to_user(user_id)


@blueprint.post("/<int:user_id>/sessions/<int:session_id>/deletion")
def end_session(user_id: int, session_id: int) -> ResponseReturnValue:
    """Sign a user out on one browser."""
    user_sessions.end_session(current_user, user_id, session_id)
    flash(_("That browser is signed out."))
    return _go_to_user(user_id)


def _go_to_user(user_id: int) -> ResponseReturnValue:
    return go_to(url_for("users.show_user", user_id=user_id))


def _show_form(
    email: str = "", role: str = ROLES[0], problems: dict[str, Problem] | None = None
) -> ResponseReturnValue:
    page = render_template("users/new.html", email=email, role=role, roles=ROLES, problems=problems or {})
    return page, 422 if problems else 200


def _show_link(made: MadeLink) -> ResponseReturnValue:
    return render_template("users/link.html", made=made, url=link_url(made))
