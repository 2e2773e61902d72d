"""Deleting one record: what uses it is shown first, with what may take its place."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from webapp.errors import Conflict, Invalid, Problem
from webapp.htmx import go_to
from webapp.resources.base import N_, Resource
from webapp.resources.types import Reference
from webapp.routes.record_conflicts import Difference, list_differences
from webapp.routes.record_controls import read_snapshot
from webapp.routes.records import blueprint
from webapp.services import record_deletion
from webapp.services.accounts import require_role
from webapp.services.record_editing import EditConflict, Snapshot, get_values, take_snapshot
from webapp.services.record_reassign import reassign_uses
from webapp.services.record_replacement import Replacement
from webapp.services.record_uses import Use, list_uses


@blueprint.get("/<resource:resource>/<int:record_id>/delete")
def ask_delete(resource: Resource, record_id: int) -> ResponseReturnValue:
    """Ask whether a record is to be deleted, and say what uses it."""
    require_role(current_user, "editor")
    return _show_question(resource, record_id)


@blueprint.post("/<resource:resource>/<int:record_id>/delete")
def delete_record(resource: Resource, record_id: int) -> ResponseReturnValue:
    """Delete a record; what uses it gets another one first, where that was chosen."""
    require_role(current_user, "editor")
    name = get_values(resource, record_id)[resource.title_field]
    seen = read_snapshot()
    try:
        record_deletion.check_unchanged(resource, record_id, seen)
        if changed := _reassign(resource, record_id):
            flash(ngettext("%(num)s record was changed.", "%(num)s records were changed.", changed))
        record_deletion.delete_record(current_user, resource, record_id, seen=seen)
    except Invalid as error:
        return _show_question(resource, record_id, error.problems), 422
    except Conflict as error:
        problem = Problem(
            N_("Somebody else has changed it meanwhile."), N_("Look at it again before you delete it.")
        )
        current = error.current if isinstance(error, EditConflict) else seen
        differences = _list_differences(resource, seen, current)
        return _show_question(resource, record_id, {"": problem}, differences), 409
    flash(_("%(kind)s “%(name)s” is deleted.", kind=_(resource.label), name=name))
    return go_to(url_for("records.list_records", resource=resource))


def _reassign(resource: Resource, record_id: int) -> int:
    chosen = request.form.get("uses")
    if chosen == "replace":
        replacement = Replacement(request.form.get("replacement", ""), request.form.get("scope", ""))
        return reassign_uses(current_user, resource, record_id, replacement)
    return reassign_uses(current_user, resource, record_id, None) if chosen == "empty" else 0


def _list_differences(resource: Resource, seen: Snapshot, current: Snapshot) -> list[Difference]:
    mine = {name: seen.texts.get(name, "") for name in current.texts}
    return [item for item in list_differences(resource, mine, seen, current) if item.is_theirs]


def _show_question(
    resource: Resource,
    record_id: int,
    problems: Mapping[str, Problem] | None = None,
    differences: Sequence[Difference] = (),
) -> str:
    values = get_values(resource, record_id)
    uses = list_uses(resource, record_id)
    reason = None if uses else record_deletion.check_deletion(resource, record_id)
    return render_template(
        "records/delete.html",
        resource=resource,
        record_id=record_id,
        values=values,
        name=values[resource.title_field],
        seen=json.dumps(dict(take_snapshot(resource, values).texts)),
        differences=differences,
        uses=uses,
        scope=_find_scope(uses),
        may_be_empty=bool(uses) and not any(use.field.required for use in uses),
        reason=reason,
        problems=problems or {},
        chosen=request.form.get("uses", "replace"),
        typed=request.form,
    )


def _find_scope(uses: list[Use]) -> Any:
    """Return the field that decides between replacements of equal keys, or None."""
    for use in uses:
        if isinstance(use.field.type, Reference) and use.field.type.scope:
            return use.resource.get_field(use.field.type.scope)
    return None
