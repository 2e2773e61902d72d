"""Exports: the page of them all, and asking for one with every choice or with one click on a list."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.errors import Invalid
from webapp.extensions import settings
from webapp.htmx import go_to, render_page, wants_fragment
from webapp.locale import choose_language
from webapp.resources.registry import RESOURCES
from webapp.routes import saved_exports as saved_pages
from webapp.routes.export_form import read_address, read_form, read_stored
from webapp.routes.export_page import is_only_looking, measure, show_form
from webapp.services import export_requests, exports, job_actions, jobs, saved_exports

PAGE_ROWS = 25

blueprint = Blueprint("exports", __name__, url_prefix="/exports")
blueprint.register_blueprint(saved_pages.blueprint)


@blueprint.get("/")
def list_exports() -> ResponseReturnValue:
    """Show what was exported lately with its files, and what is saved to be run again."""
    before = request.args.get("before", type=int)
    found = export_requests.list_exports(current_user, before_id=before, limit=PAGE_ROWS + 1)
    return render_page(
        "exports/list.html",
        "exports/_lists.html",
        jobs=found[:PAGE_ROWS],
        next_before=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None,
        before=before,
        saved=saved_exports.list_saved(current_user),
        others=saved_exports.list_of_others(current_user) if current_user.is_admin else [],
        file_days=settings().file_ttl_days,
        list_actions=job_actions.list_actions,
    )


@blueprint.get("/new")
def new_export() -> ResponseReturnValue:
    """Show what can be chosen; a list's filters and order carry over, or all the choices of an earlier job."""
    if task_id := request.args.get("like"):
        job = jobs.get_job(current_user, task_id)
        if job.model_name in RESOURCES:
            return show_form(read_stored(job.model_name, job.file_format or "", job.params))
    return show_form(read_address(request.args))


@blueprint.get("/estimate")
def show_estimate() -> ResponseReturnValue:
    """Show how much the choices would be, while they are made."""
    try:
        choices = read_form(request.args)
    except Invalid as error:
        return render_template("exports/_estimate.html", choices=None, estimate=None, problems=error.problems)
    estimate, problems = measure(choices)
    return render_template("exports/_estimate.html", choices=choices, estimate=estimate, problems=problems)


@blueprint.post("/")
def create_export() -> ResponseReturnValue:
    """Start the job, and answer with its page, or with a toast where the reader stays on a list."""
    choices = read_address(request.form)
    try:
        choices = read_form(request.form)
        if is_only_looking():
            return show_form(choices)
        job = exports.request_export(
            current_user,
            request.form.get("resource", ""),
            choices.file_format,
            **choices.asked,
            language=choose_language(),
        )
    except Invalid as error:
        if wants_fragment():
            return render_template("errors/_problem.html", problem=next(iter(error.problems.values()))), 400
        return show_form(choices, problems=error.problems)
    if wants_fragment():
        return render_template("exports/_started.html", job=job), 202
    return go_to(url_for("jobs.show_job", task_id=job.task_id))
