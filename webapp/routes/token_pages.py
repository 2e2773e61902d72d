"""Revoking an API token, which a user does on their account's page and an administrator on others'."""

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.htmx import go_to
from webapp.routes.questions import ask
from webapp.services import api_tokens


def revoke(token_id: int, url: str, back: str) -> ResponseReturnValue:
    """Let a token work no more, once that is confirmed by a post to ``url``; then go ``back``."""
    token = api_tokens.get_token(current_user, token_id)
    if request.form.get("confirmed") != "yes":
        return ask(
            _("Revoke “%(name)s”?", name=token.name),
            _("What uses this token is refused from now on. That cannot be undone; make a new one instead."),
            _("Revoke"),
            url,
            back,
        )
    api_tokens.revoke_token(current_user, token_id)
    flash(_("“%(name)s” works no more.", name=token.name))
    return go_to(back)
