"""The steps of an import, one form each: how the file is read, what is matched, check, apply, undo."""

from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.errors import Conflict, Invalid, Problem
from webapp.htmx import go_to
from webapp.models import DataImport
from webapp.resources.registry import get_resource
from webapp.routes.flashes import flash_refusal
from webapp.routes.import_context import build_context
from webapp.routes.import_forms import read_mapping, read_options, read_overrides
from webapp.services import import_profiles, import_undo, imports
from webapp.services.accounts import require_role

SHOWN_EACH = 50  # of a preview: what is taken back is counted, and the first of it named

blueprint = Blueprint("imports_steps", __name__, url_prefix="/imports")


@blueprint.before_request
def require_editor() -> None:
    """Whoever may only read decides nothing about an import."""
    require_role(current_user, "editor")


@blueprint.post("/<public_id>/reading")
def read_again(public_id: str) -> ResponseReturnValue:
    """Read the file again as somebody says; what they leave open is found out."""
    found = imports.get_import(current_user, public_id)
    try:
        imports.read_again(current_user, public_id, read_overrides(found))
    except Invalid as error:
        return _page(found, 422, problems=error.problems, typed_reading=request.form)
    except Problem as problem:
        return _page(found, 422, problems={"reading": problem}, typed_reading=request.form)
    except Conflict as error:
        flash_refusal(error)
    return _back(public_id)


@blueprint.post("/<public_id>/check")
def start_check(public_id: str) -> ResponseReturnValue:
    """Check the whole file by the matching that was sent; nothing is saved."""
    found = imports.get_import(current_user, public_id)
    mapping = read_mapping(found)
    options = read_options(found)
    try:
        imports.start_check(current_user, public_id, mapping, options)
    except Invalid as error:
        return _page(found, 422, mapping=mapping, options=options, problems=error.problems)
    except Conflict as error:
        flash_refusal(error)
    return _back(public_id)


@blueprint.post("/<public_id>/application")
def start_import(public_id: str) -> ResponseReturnValue:
    """Take the rows in as they were checked."""
    found = imports.get_import(current_user, public_id)
    is_confirmed = request.form.get("confirm_repeat") == "yes"
    try:
        imports.start_import(current_user, public_id, confirm_repeat=is_confirmed)
    except Invalid as error:
        return _page(found, 422, problems=error.problems)
    except Conflict:
        pass  # it was started already, by a second click or another tab: the page shows how far it is
    return _back(public_id)


@blueprint.get("/<public_id>/undo")
def preview_undo(public_id: str) -> ResponseReturnValue:
    """Show what taking an import back would remove, restore and keep."""
    found = imports.get_import(current_user, public_id)
    if not imports.is_applied(found):
        return _back(public_id)
    return render_template(
        "imports/undo.html",
        data_import=found,
        resource=get_resource(found.resource),
        preview=import_undo.preview_undo(found),
        shown_each=SHOWN_EACH,
    )


@blueprint.post("/<public_id>/undo")
def start_undo(public_id: str) -> ResponseReturnValue:
    """Take an import back."""
    try:
        imports.start_undo(current_user, public_id)
    except Conflict as error:
        flash_refusal(error)
    return _back(public_id)


@blueprint.post("/<public_id>/profile")
def apply_profile(public_id: str) -> ResponseReturnValue:
    """Match the columns as a saved profile says, or delete the profile."""
    imports.get_import(current_user, public_id)  # nobody else's import takes a profile
    profile_id = request.form.get("profile", type=int)
    if profile_id is None:
        return _back(public_id)
    if request.form.get("action") == "delete":
        import_profiles.delete_profile(current_user, profile_id)
        flash(_("The saved matching was deleted."))
        return _back(public_id)
    try:
        import_profiles.apply_profile(current_user, public_id, profile_id)
        flash(_("The saved matching is used. Look it over, then check the file."))
    except Conflict as error:
        flash_refusal(error)
    return _back(public_id)


@blueprint.post("/<public_id>/profiles")
def save_profile(public_id: str) -> ResponseReturnValue:
    """Keep how this file was matched, under a name, for the next one."""
    found = imports.get_import(current_user, public_id)
    name = request.form.get("name", "").strip()
    try:
        import_profiles.save_profile(current_user, public_id, name)
    except Invalid as error:
        return _page(found, 422, problems=error.problems, typed_name=name)
    flash(_("Saved as “%(name)s”. You can choose it for your next file.", name=name))
    return _back(public_id)


def _back(public_id: str) -> ResponseReturnValue:
    return go_to(url_for("imports.show_import", public_id=public_id))


def _page(found: DataImport, code: int, **changes: Any) -> ResponseReturnValue:
    return render_template("imports/show.html", **build_context(found, **changes)), code
