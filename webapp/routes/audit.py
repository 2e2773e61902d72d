"""The audit: what everybody has changed, for administrators; and what became of one record, for all."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import flask_babel
from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import pgettext
from flask_login import current_user

from webapp.htmx import go_to, render_page, wants_fragment
from webapp.locale import choose_language
from webapp.models.base import utc_now
from webapp.resources.base import Resource
from webapp.resources.registry import RESOURCES
from webapp.routes.monitor_jobs import deed_label
from webapp.routes.records import blueprint as records
from webapp.services import audit, queries
from webapp.services.audit import ChangeFilter
from webapp.services.audit_export import request_changes
from webapp.services.change_origin import SOURCES

PAGE_ROWS = 50
LARGEST_ID = 2**63 - 1
WINDOWS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
CUSTOM_WINDOW = "custom"
FILTERS = ("resource", "record", "user", "source", "action", "window", "since", "until")
KINDS = (*RESOURCES, *audit.OTHER_KINDS)

blueprint = Blueprint("audit", __name__, url_prefix="/audit")


@blueprint.get("/")
def list_changes() -> ResponseReturnValue:
    """List what everybody has changed: filtered and paged by the address alone."""
    filters = read_filters(request.args)
    cursor = _read_cursor()
    page = audit.list_changes(current_user, build_filter(filters), cursor, PAGE_ROWS)
    return render_page(
        "audit/list.html",
        "audit/_list.html",
        page=page,
        filters=filters,
        cursor=cursor,
        registered=RESOURCES,
        **_list_choices(),
    )


def _list_choices() -> dict[str, Any]:
    """Return what the filter's controls offer, as pairs of a value and its words."""
    words = {"24h": _("last 24 hours"), "7d": _("last 7 days"), "30d": _("last 30 days")}
    return {
        "kinds": [(name, kind_of_change(name, is_plural=True)) for name in KINDS],
        "actions": [(name, action_label(name)) for name in audit.ACTIONS],
        "sources": [(name, _(label)) for name, label in SOURCES.items()],
        "windows": [*words.items(), (CUSTOM_WINDOW, _("Between two days"))],
        "people": audit.list_people(current_user),
    }


@blueprint.post("/exports")
def export_changes() -> ResponseReturnValue:
    """Ask for a file of all changes that the filters leave."""
    wanted = build_filter(read_filters(request.form))
    job = request_changes(current_user, wanted, choose_language())
    if wants_fragment():
        return render_template("exports/_started.html", job=job), 202
    return go_to(url_for("jobs.show_job", task_id=job.task_id))


@records.get("/<resource:resource>/<int:record_id>/history")
def show_history(resource: Resource, record_id: int) -> ResponseReturnValue:
    """Show what became of one record, one that is gone included."""
    cursor = _read_cursor()
    record = queries.get_record(resource, record_id)
    if record_id > LARGEST_ID:
        abort(404)
    page = audit.list_history(current_user, resource.name, record_id, cursor, PAGE_ROWS)
    if record is None and not page.rows and cursor is None:
        abort(404)
    title = getattr(record, resource.title_field) if record else None
    return render_page(
        "audit/history.html",
        "audit/_history.html",
        resource=resource,
        record_id=record_id,
        record=record,
        title=title or next((row.title for row in page.rows), f"#{record_id}"),
        page=page,
        cursor=cursor,
        registered=RESOURCES,
    )


def _read_cursor() -> int | None:
    cursor = request.args.get("before", type=int)
    return cursor if cursor is not None and 0 < cursor <= LARGEST_ID else None


def read_filters(values: Any) -> dict[str, str]:
    """Return what an address or a form narrows the audit to; what cannot be read is left out."""
    found = {name: values.get(name, "").replace("\0", "").strip() for name in FILTERS}
    allowed = {
        "resource": KINDS,
        "source": SOURCES,
        "action": audit.ACTIONS,
        "window": (*WINDOWS, CUSTOM_WINDOW),
    }
    for name, words in allowed.items():
        if found[name] not in words:
            found[name] = ""
    if not found["resource"]:
        found["record"] = ""
    if not found["user"].isdecimal() or len(found["user"]) > 15:
        found["user"] = ""
    for name in ("since", "until"):
        if found["window"] != CUSTOM_WINDOW or _read_day(found[name]) is None:
            found[name] = ""
    return {name: text for name, text in found.items() if text}


def build_filter(filters: dict[str, str]) -> ChangeFilter:
    """Return the service's filter of an address's parts."""
    since, until = _read_window(filters)
    resource, record = filters.get("resource"), filters.get("record")
    return ChangeFilter(
        resource=resource,
        record_ids=audit.find_record_ids(resource, record) if resource and record else None,
        user_id=int(filters["user"]) if "user" in filters else None,
        source=filters.get("source"),
        action=filters.get("action"),
        since=since,
        until=until,
    )


def _read_window(filters: dict[str, str]) -> tuple[datetime | None, datetime | None]:
    window = filters.get("window", "")
    if window in WINDOWS:
        return utc_now() - WINDOWS[window], None
    since, until = (_read_day(filters.get(name, "")) for name in ("since", "until"))
    return _start_of(since), _start_of(until + timedelta(days=1)) if until else None


def _read_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date.min.year < day.year < date.max.year else None


def _start_of(day: date | None) -> datetime | None:
    if day is None:
        return None
    local: datetime = flask_babel.to_utc(datetime.combine(day, time()))
    return local.replace(tzinfo=UTC)


@blueprint.app_template_filter("action_label")
def action_label(action: str) -> str:
    """Return what was done to something, for people."""
    known = {
        "created": pgettext("what was done to it", "Created"),
        "updated": pgettext("what was done to it", "Changed"),
        "deleted": pgettext("what was done to it", "Deleted"),
        "delete": pgettext("what was done to it", "Deleted"),
        "enable": _("Enabled"),
        "disable": _("Disabled"),
        "enabled": _("Enabled"),
        "disabled": _("Disabled"),
        "invited": _("Invited"),
        "role_changed": _("Role changed"),
        "password_changed": _("Password changed"),
        "password_set": _("Password set"),
        "link_created": _("Link made"),
        "signed_out": _("Signed out everywhere"),
        "session_ended": _("Session ended"),
        "token_created": _("Token made"),
        "token_revoked": _("Token revoked"),
    }
    if action not in known:
        action = deed_label(action)
    return known.get(action, action.replace("_", " ").capitalize())


@blueprint.app_template_filter("kind_of_change")
def kind_of_change(resource: str, *, is_plural: bool = False) -> str:
    """Return what a change is about, for people: a kind of record or something else that is audited."""
    found = RESOURCES.get(resource)
    if found is not None:
        return _(found.label_plural if is_plural else found.label)
    known = {"jobs": _("Jobs"), "schedules": _("Schedules"), "users": _("Users")}
    return known.get(resource, resource.replace("_", " ").capitalize())
