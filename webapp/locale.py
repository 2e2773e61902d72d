"""Which language and zone a page is in. Formatting happens at the edge only."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

import flask_babel
from babel.support import NullTranslations
from flask import Flask, g, has_request_context, request, session
from flask_login import current_user
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from config import LANGUAGES
from webapp.extensions import settings
from webapp.security import is_api_request

__all__ = [
    "LANGUAGES",
    "MONITOR_TIMEZONE",
    "choose_language",
    "choose_timezone",
    "init_app",
    "is_known_timezone",
]

MONITOR_TIMEZONE = "monitor_timezone"  # where the session keeps it


def init_app(app: Flask) -> None:
    """Let templates translate at less than half of the price: a page has two hundred texts."""
    app.jinja_env.globals |= {"_": translate, "gettext": translate}


@pass_eval_context
def translate(eval_ctx: EvalContext, text: str, /, **variables: Any) -> str:
    """The text in the page's language, as jinja2's ``gettext``: filled in, and what fills it in escaped."""
    said: str = _get_catalogue().ugettext(text)
    if eval_ctx.autoescape:
        said = Markup(said)  # noqa: S704 - our own catalogue
    return said % variables if variables or "%" in said else said


def _get_catalogue() -> NullTranslations:
    """The texts of the language of this moment, which is looked up once for a page."""
    locale = flask_babel.get_locale()
    if locale is None:  # nobody's page
        return NullTranslations()
    kept = g.get("catalogue")
    if kept is None or kept[0] is not locale:
        kept = g.catalogue = (locale, flask_babel.get_domain().get_translations())
    catalogue: NullTranslations = kept[1]
    return catalogue


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
