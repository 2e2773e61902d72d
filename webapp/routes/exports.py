"""Asking for an export: on a page with every choice, or with one click on a list."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.errors import Invalid
from webapp.forms import ExportForm, offered_formats, read_options
from webapp.htmx import go_to, wants_fragment
from webapp.locale import choose_language
from webapp.pipeline.formats import FORMATS
from webapp.resources.base import Resource
from webapp.resources.registry import RESOURCES
from webapp.services import exports, queries

DEFAULT_RESOURCE = "products"
FILTER_PREFIX = "filter-"

blueprint = Blueprint("exports", __name__, url_prefix="/exports")


@blueprint.get("/new")
def new_export() -> ResponseReturnValue:
    """Show what can be chosen: the resource, its columns, the format with its options."""
    resource = RESOURCES.get(request.args.get("resource", ""), RESOURCES[DEFAULT_RESOURCE])
    known = queries.list_filter_names(resource)
    filters = {name: text for name, text in request.args.items() if name in known and text}
    form = ExportForm(resource, formdata=None, resource=resource.name, fields=_all_fields(resource))
    return _page(form, resource, filters, request.args.get("sort", "")), 200


@blueprint.post("/")
def create_export() -> ResponseReturnValue:
    """Start the job, and answer with its page, or with a toast where the reader stays on a list."""
    resource = RESOURCES.get(request.form.get("resource", ""), RESOURCES[DEFAULT_RESOURCE])
    filters = {
        name.removeprefix(FILTER_PREFIX): text
        for name, text in request.form.items()
        if name.startswith(FILTER_PREFIX)
    }
    sort = request.form.get("sort", "")
    file_format = request.form.get("format", "")
    chosen = FORMATS.get(file_format)
    try:
        job = exports.request_export(
            current_user,
            request.form.get("resource", ""),
            file_format,
            fields=request.form.getlist("fields"),
            filters=filters,
            sort=sort,
            options=read_options(chosen, request.form) if chosen else None,
            language=choose_language(),
        )
    except Invalid as error:
        if wants_fragment():
            return render_template("errors/_problem.html", problem=next(iter(error.problems.values()))), 400
        form = ExportForm(resource)
        return _page(form, resource, filters, sort, problems=error.problems), 422
    if wants_fragment():
        return render_template("exports/_started.html", job=job), 202
    return go_to(url_for("jobs.show_job", task_id=job.task_id))


def _all_fields(resource: Resource) -> list[str]:
    return [field.name for field in resource.fields]


def _page(
    form: ExportForm, resource: Resource, filters: dict[str, str], sort: str, problems: object = None
) -> str:
    """Render the form; the count says how much the export will hold."""
    try:
        counted = queries.list_records(resource, (), filters=filters, limit=1)
    except Invalid as error:
        counted, problems = None, problems or error.problems
    return render_template(
        "exports/new.html",
        form=form,
        resource=resource,
        filters=filters,
        sort=sort,
        formats=offered_formats(),
        counted=counted,
        problems=problems or {},
    )
