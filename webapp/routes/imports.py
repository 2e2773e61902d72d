"""Imports as their owner sees them: the list, the upload, the page of one, its errors and templates."""

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge

from webapp.errors import Invalid, NotFound, Problem
from webapp.extensions import csrf, settings
from webapp.forms import UploadForm, upload_limit
from webapp.htmx import go_to, render_page
from webapp.locale import choose_language
from webapp.resources.base import N_, Resource
from webapp.resources.registry import IMPORTABLE, get_resource
from webapp.routes.converters import add_converters
from webapp.routes.import_context import build_context, build_error_context, list_names
from webapp.routes.jobs import note_seen
from webapp.services import import_templates, imports
from webapp.services.accounts import require_role

PAGE_ROWS = 50
DEFAULT_RESOURCE = "products"
TEMPLATE_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

blueprint = Blueprint("imports", __name__, url_prefix="/imports")
blueprint.record_once(add_converters)


@blueprint.get("/")
def list_imports() -> ResponseReturnValue:
    """List the reader's imports, newest first."""
    before = request.args.get("before", type=int)
    found = imports.list_imports(current_user, before_id=before, limit=PAGE_ROWS + 1)
    return render_page(
        "imports/list.html",
        "imports/_table.html",
        imports=found[:PAGE_ROWS],
        next_before=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None,
        before=before,
        latest_jobs=imports.list_latest_jobs(found[:PAGE_ROWS]),
    )


@blueprint.get("/new")
def new_import() -> ResponseReturnValue:
    """Show the upload form."""
    require_role(current_user, "editor")
    wanted = request.args.get("resource", "")
    form = UploadForm(formdata=None, resource=wanted if wanted in IMPORTABLE else DEFAULT_RESOURCE)
    return _upload_page(form)


@blueprint.post("/new")
@csrf.exempt  # the token is checked below: reading it reads the whole upload, whose limit comes first
def create_import() -> ResponseReturnValue:
    """Store the file and start reading it."""
    request.max_content_length = upload_limit()
    try:
        csrf.protect()
    except RequestEntityTooLarge:
        return _upload_page(UploadForm(formdata=None), _too_large()), 413
    require_role(current_user, "editor")
    form = UploadForm()
    if not form.validate_on_submit():
        return _upload_page(form), 422
    upload = form.file.data
    try:
        found = imports.create_import(current_user, form.resource.data, upload.stream, upload.filename)
    except Problem as problem:
        return _upload_page(form, problem), 422
    except Invalid as error:
        return _upload_page(form, next(iter(error.problems.values()))), 422
    return go_to(url_for("imports.show_import", public_id=found.public_id))


def _too_large() -> Problem:
    """Say what the service would say, had the file been read."""
    return Problem(
        N_("The file is larger than %(limit)s MB, the limit here."),
        N_("Split it, or ask an administrator to raise MAX_UPLOAD_MB."),
        limit=settings().max_upload_mb,
    )


def _upload_page(form: UploadForm, problem: Problem | None = None) -> str:
    resource = get_resource(form.resource.data if form.resource.data in IMPORTABLE else DEFAULT_RESOURCE)
    return render_template(
        "imports/new.html",
        form=form,
        problem=problem,
        resource=resource,
        fields=imports.mappable_fields(resource),
        max_upload_mb=settings().max_upload_mb,
    )


@blueprint.get("/templates/<importable:resource>.<file_format>")
def download_template(resource: Resource, file_format: str) -> ResponseReturnValue:
    """Send a table to fill in: the headers and one example row, in the reader's language."""
    if file_format not in TEMPLATE_TYPES:
        raise NotFound(file_format)
    name, data = import_templates.build_template(resource, file_format, choose_language())
    response = Response(data, mimetype=TEMPLATE_TYPES[file_format])
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@blueprint.get("/names/<resource:resource>")
def suggest_names(resource: Resource) -> ResponseReturnValue:
    """Offer existing records for what is being typed, as the options of a list."""
    names = list_names(resource.name, request.args.get("q", ""))
    return render_template("imports/_names.html", names=names)


@blueprint.get("/<public_id>")
def show_import(public_id: str) -> ResponseReturnValue:
    """Show one import: the page grows with its state."""
    found = imports.get_import(current_user, public_id)
    note_seen(imports.latest_job(found))
    return render_page("imports/show.html", "imports/_state.html", **build_context(found))


@blueprint.get("/<public_id>/errors")
def list_errors(public_id: str) -> ResponseReturnValue:
    """List the rows that were refused: from a line on, for one reason, one column, one text."""
    found = imports.get_import(current_user, public_id)
    return render_page("imports/errors.html", "imports/_errors.html", **build_error_context(found))
