"""Roles, states, scopes and browsers in words."""

import re

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.models import TOKEN_SCOPES, User
from webapp.resources.base import N_
from webapp.resources.types import Problem

PASSWORDS_DIFFER = Problem(N_("The two are not the same."), N_("Type it once more."))

# What the address of a form says, how many days that is, and how it is said.
TOKEN_DAYS: dict[str, tuple[int | None, str]] = {
    "30": (30, _l("30 days")),
    "90": (90, _l("90 days")),
    "365": (365, _l("1 year")),
    "never": (None, _l("never")),
}

# The first that fits counts: nearly every browser also claims to be one of the others.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/|FxiOS/", "Firefox"),
    ("Chrome/|CriOS/|Chromium/|HeadlessChrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh|Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux|X11", "Linux"),
)


def init_blueprint(blueprint: Blueprint) -> None:
    """Give every template these words."""
    for function in (role_label, role_explanation, user_state_label, scope_label, browser_label):
        blueprint.add_app_template_filter(function, function.__name__)


def role_label(role: str) -> str:
    """A role, for people."""
    return {"viewer": _("Viewer"), "editor": _("Editor"), "admin": _("Administrator")}.get(role, role)


def role_explanation(role: str) -> str:
    """What a role may do."""
    return {
        "viewer": _("Reads and exports."),
        "editor": _("Also writes and imports."),
        "admin": _("Also manages users, tokens and the jobs of others."),
    }.get(role, "")


def user_state_label(state: str) -> str:
    """The state of a user, for people."""
    return {"active": _("Active"), "invited": _("Invited"), "disabled": _("Disabled")}.get(state, state)


def scope_label(scope: str) -> str:
    """What a token may do, for people."""
    return {"read": _("Reads"), "write": _("Reads and writes")}.get(scope, scope)


def offered_scopes(user: User) -> list[str]:
    """Return the scopes that a user can give to a token: no more than they have themselves."""
    return [scope for scope in TOKEN_SCOPES if scope == "read" or user.has_role("editor")]


def browser_label(agent: str) -> str:
    """What a browser says of itself, in two words; the rest of it where it says nothing known."""
    browser = _first(_BROWSERS, agent)
    system = _first(_SYSTEMS, agent)
    if browser and system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or agent[:40] or _("Unknown browser")


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for pattern, name in known if re.search(pattern, agent)), "")
