"""Which language and zone a page is in. Formatting happens at the edge only."""

from flask import has_request_context, request, session
from flask_login import current_user

from config import LANGUAGES
from webapp.extensions import settings

__all__ = ["LANGUAGES", "choose_language", "choose_timezone"]


def choose_language() -> str:
    """The user's choice, this browser's choice, or the house's language."""
    if not has_request_context():
        return settings().app_language
    own = current_user.language if current_user and current_user.is_authenticated else None
    chosen = own or session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    best = request.accept_languages.best_match(["en", "pt-BR", "pt"])
    return "pt_BR" if best and best.startswith("pt") else settings().app_language


def choose_timezone() -> str:
    """Dates are shown in one zone for the whole house."""
    return settings().app_timezone
