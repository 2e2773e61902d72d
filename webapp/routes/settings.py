"""What a reader chooses for themselves."""

from flask import Blueprint, abort, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import update

from webapp.database import write_transaction
from webapp.htmx import go_to, page_before
from webapp.locale import LANGUAGES
from webapp.models import User

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.post("/language")
def change_language() -> ResponseReturnValue:
    """Remember the language: in this browser, and for the signed-in user in all of theirs."""
    language = request.form.get("language", "")
    if language not in LANGUAGES:
        abort(400)
    session["language"] = language
    if current_user.is_authenticated:
        with write_transaction() as transaction:
            transaction.execute(update(User).where(User.id == current_user.id).values(language=language))
    return go_to(page_before(url_for("dashboard.show")))
