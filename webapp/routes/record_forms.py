"""Forms of one record: new, edit, duplicate; whole pages, and a dialog where a reference is missing."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.errors import Invalid, NotFound, Problem
from webapp.htmx import go_to, wants_fragment
from webapp.resources.base import Resource
from webapp.routes.flashes import flash_hint
from webapp.routes.record_conflicts import show_conflict, take_choices
from webapp.routes.record_controls import (
    list_carried,
    list_controls,
    list_copied,
    list_defaults,
    make_draft,
    read_snapshot,
    read_texts,
    show_texts,
)
from webapp.routes.records import blueprint
from webapp.services import record_editing
from webapp.services.accounts import require_role
from webapp.services.record_editing import EditConflict, Snapshot
from webapp.services.reference_options import find_telling_field


@blueprint.get("/<resource:resource>/new")
def new_record(resource: Resource) -> ResponseReturnValue:
    """Show an empty form, or one that begins with what the address says."""
    require_role(current_user, "editor")
    return _show_new(resource, list_defaults(resource))


@blueprint.get("/<resource:resource>/<int:record_id>/duplicate")
def duplicate_record(resource: Resource, record_id: int) -> ResponseReturnValue:
    """Show the form of a new record with the values of another one."""
    require_role(current_user, "editor")
    values = record_editing.get_values(resource, record_id)
    return _show_new(resource, list_copied(resource, values), copy_of=str(values[resource.title_field]))


@blueprint.post("/<resource:resource>/")
def create_record(resource: Resource) -> ResponseReturnValue:
    """Save a new record; the form comes back with what is wrong."""
    texts = read_texts(resource, is_new=True)
    try:
        made = record_editing.create_record(current_user, resource, make_draft(texts))
    except Invalid as error:
        return _show_new(resource, texts, error.problems), 422
    if wants_fragment():
        return _tell_created(resource, made.record_id)
    _say(_("%(kind)s “%(name)s” is created."), resource, made.after)
    if request.form.get("action") == "another":
        return go_to(url_for("records.new_record", resource=resource, **list_carried(resource, texts)))  # type: ignore[arg-type]
    return go_to(url_for("records.show_record", resource=resource, record_id=made.record_id))


def _tell_created(resource: Resource, record_id: int) -> Response:
    """Let the form behind the dialog take the new record."""
    values = record_editing.get_values(resource, record_id)
    telling = find_telling_field(resource)
    created = {
        "key": values[resource.reference_field],
        "scope": values[telling.name] if telling is not None else "",
    }
    return Response(status=204, headers={"HX-Trigger": json.dumps({"record-created": created})})


def _show_new(
    resource: Resource,
    texts: Mapping[str, str],
    problems: Mapping[str, Problem] | None = None,
    **context: Any,
) -> str:
    is_dialog = wants_fragment()
    prefix = f"new-{resource.name}" if is_dialog else "field"
    template = "records/form.html"
    if is_dialog:
        template = "records/form_inline.html" if problems else "records/form_dialog.html"
    return render_template(
        template,
        resource=resource,
        record_id=None,
        controls=list_controls(resource, texts, problems, is_new=True, prefix=prefix),
        problems=problems or {},
        url=url_for("records.create_record", resource=resource),
        is_dialog=is_dialog,
        **context,
    )


@blueprint.get("/<resource:resource>/<int:record_id>/edit")
def edit_record(resource: Resource, record_id: int) -> ResponseReturnValue:
    """Show the form of a record."""
    require_role(current_user, "editor")
    values = record_editing.get_values(resource, record_id)
    seen = record_editing.take_snapshot(resource, values)
    return _show_edit(resource, record_id, show_texts(resource, values), seen)


@blueprint.post("/<resource:resource>/<int:record_id>")
def update_record(resource: Resource, record_id: int) -> ResponseReturnValue:
    """Save a changed record; what somebody else has changed meanwhile is shown beside it."""
    require_role(current_user, "editor")
    texts = read_texts(resource, is_new=False)
    seen = read_snapshot()
    texts |= take_choices(resource, seen)
    try:
        if request.form.get("action") == "edit":
            return _show_edit(resource, record_id, texts, seen, is_changed=True)
        made = record_editing.update_record(current_user, resource, record_id, make_draft(texts), seen)
    except Invalid as error:
        return _show_edit(resource, record_id, texts, seen, error.problems), 422
    except EditConflict as error:
        return show_conflict(resource, record_id, texts, seen, error.current)
    except NotFound:
        return _show_new(resource, texts, is_gone=True), 409
    if made.action == "unchanged":
        flash_hint(_("Nothing was changed."))
    else:
        _say(_("%(kind)s “%(name)s” is saved."), resource, made.after)
    return go_to(url_for("records.show_record", resource=resource, record_id=record_id))


def _show_edit(
    resource: Resource,
    record_id: int,
    texts: Mapping[str, str],
    seen: Snapshot,
    problems: Mapping[str, Problem] | None = None,
    *,
    is_changed: bool = False,
) -> str:
    return render_template(
        "records/form.html",
        resource=resource,
        record_id=record_id,
        controls=list_controls(resource, texts, problems, is_new=False),
        problems=problems or {},
        url=url_for("records.update_record", resource=resource, record_id=record_id),
        version=seen.version,
        seen=json.dumps(dict(seen.texts)),
        name=seen.texts.get(resource.title_field, ""),
        stock=_find_stock(resource, record_id),
        serial_number=seen.texts.get("serial_number", ""),
        is_changed=is_changed,
    )


def _find_stock(resource: Resource, record_id: int) -> int | None:
    """Return a product's quantity: its form shows it, and movements change it."""
    if resource.name != "products":
        return None
    return int(record_editing.get_values(resource, record_id)["quantity"])


def _say(wording: str, resource: Resource, values: Mapping[str, Any]) -> None:
    flash(wording % {"kind": _(resource.label), "name": values[resource.title_field]})
