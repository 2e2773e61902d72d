"""Saved exports: put together on the form of an export, kept under a name, run again with one click."""

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.errors import Invalid, Problem
from webapp.htmx import go_to
from webapp.locale import choose_language
from webapp.models import SavedExport
from webapp.resources.registry import RESOURCES
from webapp.routes.export_form import Choices, read_address, read_form, read_stored
from webapp.routes.export_page import describe_repeat, is_only_looking, show_form
from webapp.routes.flashes import flash_hint
from webapp.routes.questions import ask
from webapp.services import saved_exports
from webapp.services.export_schedules import Repeat
from webapp.services.saved_exports import BY_HAND, Draft

blueprint = Blueprint("saved", __name__, url_prefix="/saved")


@blueprint.app_template_global()
def repeat_words(saved: SavedExport) -> str:
    """Say in words how often a saved export runs by itself."""
    return describe_repeat(saved_exports.get_repeat(saved))


@blueprint.post("/")
def create_saved() -> ResponseReturnValue:
    """Save the choices of the form under a name."""
    choices = read_address(request.form)
    try:
        choices = read_form(request.form)
        saved = saved_exports.create_saved(current_user, _read_draft(choices))
    except Invalid as error:
        return _show_again(choices, problems=error.problems)
    flash(_("“%(name)s” is saved.", name=saved.name))
    return go_to(url_for("exports.list_exports"))


@blueprint.get("/<int:saved_id>")
def show_saved(saved_id: int) -> ResponseReturnValue:
    """Show a saved export: its owner changes it here, an administrator looks."""
    saved = saved_exports.get_saved(current_user, saved_id)
    if saved.model_name not in RESOURCES:
        flash_hint(_("The records of this saved export are no longer kept."))
        return go_to(url_for("exports.list_exports"))
    return _show(saved)


def _show(saved: SavedExport, *, problems: dict[str, Problem] | None = None) -> ResponseReturnValue:
    return show_form(
        read_stored(saved.model_name, saved.file_format, saved.params),
        problems=problems,
        saved=saved,
        name=saved.name,
        repeat=saved_exports.get_repeat(saved),
        is_read_only=saved.user_id != current_user.id,
    )


@blueprint.post("/<int:saved_id>")
def update_saved(saved_id: int) -> ResponseReturnValue:
    """Change a saved export, its name and its hours."""
    saved = saved_exports.get_saved(current_user, saved_id)
    choices = read_address(request.form)
    try:
        choices = read_form(request.form)
        if is_only_looking():
            return _show_again(choices, saved=saved)
        saved_exports.update_saved(current_user, saved_id, _read_draft(choices))
    except Invalid as error:
        return _show_again(choices, problems=error.problems, saved=saved)
    if request.form.get("action") == "run":
        return _run(saved_id)
    flash(_("The changes are saved."))
    return go_to(url_for("exports.list_exports"))


@blueprint.post("/<int:saved_id>/runs")
def run_saved(saved_id: int) -> ResponseReturnValue:
    """Start a saved export now."""
    return _run(saved_id)


def _run(saved_id: int) -> ResponseReturnValue:
    try:
        job = saved_exports.run_saved(current_user, saved_id, choose_language())
    except Invalid as error:
        return _show(saved_exports.get_saved(current_user, saved_id), problems=error.problems)
    return go_to(url_for("jobs.show_job", task_id=job.task_id))


@blueprint.post("/<int:saved_id>/deletion")
def delete_saved(saved_id: int) -> ResponseReturnValue:
    """Delete a saved export, once that is confirmed."""
    saved = saved_exports.get_saved(current_user, saved_id)
    if request.form.get("confirmed") != "yes":
        return ask(
            _("Delete “%(name)s”?", name=saved.name),
            _(
                "It can no longer be run, and no longer runs by itself. The files that it made stay for their time."
            ),
            _("Delete"),
            url_for("exports.saved.delete_saved", saved_id=saved_id),
            url_for("exports.list_exports"),
        )
    name = saved.name
    saved_exports.delete_saved(current_user, saved_id)
    flash(_("“%(name)s” was deleted.", name=name))
    return go_to(url_for("exports.list_exports"))


def _read_draft(choices: Choices) -> Draft:
    """Return what the form wants saved. Invalid when its hours are none, or no column is ticked."""
    try:
        repeat = _read_repeat()
    except Problem as problem:
        raise Invalid({"repeat": problem}) from None
    return Draft(
        request.form.get("name", ""),
        request.form.get("resource", ""),
        choices.file_format,
        **choices.asked,
        repeat=repeat,
    )


def _read_repeat() -> Repeat:
    return saved_exports.parse_repeat(
        *(request.form.get(name, "") for name in ("repeat", "hour", "weekday", "day"))
    )


def _show_again(
    choices: Choices, *, problems: dict[str, Problem] | None = None, saved: SavedExport | None = None
) -> ResponseReturnValue:
    """Answer with what was sent, to go on with."""
    try:
        repeat = _read_repeat()
    except Problem:
        repeat = BY_HAND
    return show_form(
        choices, problems=problems, saved=saved, name=request.form.get("name", ""), repeat=repeat
    )
