"""Which language and zone a page is in. Formatting happens at the edge only."""

from functools import cache
from zoneinfo import available_timezones

from flask import has_request_context, request, session
from flask_login import current_user

from config import LANGUAGES
from webapp.extensions import settings
from webapp.security import is_api_request

__all__ = ["LANGUAGES", "MONITOR_TIMEZONE", "choose_language", "choose_timezone", "is_known_timezone"]

MONITOR_TIMEZONE = "monitor_timezone"  # where the session keeps it


def choose_language() -> str:
    """The user's choice, this browser's choice, or the house's language."""
    if not has_request_context():
        return settings().app_language
    if is_api_request():  # machines read English, unless they say otherwise
        best = request.accept_languages.best_match(["en", "pt-BR", "pt"])
        return "pt_BR" if best and best.startswith("pt") else "en"
    own = current_user.language if current_user and current_user.is_authenticated else None
    chosen = own or session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    best = request.accept_languages.best_match(["en", "pt-BR", "pt"])
    return "pt_BR" if best and best.startswith("pt") else settings().app_language


def choose_timezone() -> str:
    """Dates are shown in one zone for the whole house; in the monitor, in the one that was chosen there."""
    if has_request_context() and (request.blueprint or "").startswith("monitor"):
        chosen = session.get(MONITOR_TIMEZONE, "")
        if is_known_timezone(chosen):
            return str(chosen)
    return settings().app_timezone


def is_known_timezone(name: str) -> bool:
    """Whether the time zone database has a zone of this name."""
    return name in _list_timezones()


@cache
def _list_timezones() -> frozenset[str]:
    return frozenset(available_timezones())
