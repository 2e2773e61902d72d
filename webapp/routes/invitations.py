"""Links that work once: whoever holds one chooses the password of its user. For strangers."""

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import logout_user

from webapp.errors import Invalid, NotFound
from webapp.extensions import limiter
from webapp.htmx import go_to
from webapp.resources.types import Problem
from webapp.routes.access_words import PASSWORDS_DIFFER
from webapp.routes.auth import clear_session
from webapp.services import user_links
from webapp.services.passwords import SHORTEST_PASSWORD
from webapp.services.user_links import MadeLink

blueprint = Blueprint("invitations", __name__)
RULE = "/<any(invitation, 'password-reset'):page>/<token>"


def link_url(made: MadeLink) -> str:
    """Return the whole address of a link, to be handed over."""
    page = user_links.PATHS[made.purpose].removeprefix("/")
    return url_for("invitations.show_link", page=page, token=made.token, _external=True)


@blueprint.get(RULE)
@limiter.limit("30 per minute")
def show_link(page: str, token: str) -> ResponseReturnValue:
    """Show the form for a password. What does not work, for whatever reason, is answered alike."""
    return _show(page, token, {})


@blueprint.post(RULE)
@limiter.limit("10 per minute")
def redeem_link(page: str, token: str) -> ResponseReturnValue:
    """Set the password and lead to the sign-in."""
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        return _show(page, token, {"again": PASSWORDS_DIFFER})
    try:
        user_links.redeem_link(token, password)
    except Invalid as error:
        return _show(page, token, error.problems)
    except NotFound:
        return _show(page, token, {})
    logout_user()  # this browser may be somebody else's who is signed in
    clear_session()
    flash(_("Your password is set. Sign in with it."))
    return go_to(url_for("auth.login"))


def _show(page: str, token: str, problems: dict[str, Problem]) -> ResponseReturnValue:
    link = user_links.find_link(token)
    if link is None:
        return render_template("auth/link_gone.html"), 404
    answer = render_template(
        "auth/set_password.html",
        link=link,
        page=page,
        token=token,
        problems=problems,
        shortest=SHORTEST_PASSWORD,
    )
    return answer, 422 if problems else 200
