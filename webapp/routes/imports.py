"""Imports: upload a file, say which column is which, watch it go in, read what was refused."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge

from webapp.errors import Conflict, Invalid, Problem
from webapp.extensions import csrf, settings
from webapp.forms import UploadForm, upload_limit
from webapp.htmx import go_to, render_page
from webapp.models import DataImport
from webapp.resources.base import N_
from webapp.resources.registry import RESOURCES, get_resource
from webapp.routes.jobs import measure_pace, note_seen
from webapp.services import imports
from webapp.services.accounts import require_role

PAGE_ROWS = 50
ERROR_ROWS = 100
DEFAULT_RESOURCE = "products"
SHOWN_SAMPLES = 3

blueprint = Blueprint("imports", __name__, url_prefix="/imports")


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
        latest_job=imports.latest_job,
    )


@blueprint.get("/new")
def new_import() -> ResponseReturnValue:
    """Show the upload form."""
    require_role(current_user, "editor")
    wanted = request.args.get("resource", "")
    form = UploadForm(formdata=None, resource=wanted if wanted in RESOURCES else DEFAULT_RESOURCE)
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
    resource = get_resource(form.resource.data if form.resource.data in RESOURCES else DEFAULT_RESOURCE)
    return render_template(
        "imports/new.html",
        form=form,
        problem=problem,
        resource=resource,
        fields=imports.mappable_fields(resource),
        max_upload_mb=settings().max_upload_mb,
    )


@blueprint.get("/<public_id>")
def show_import(public_id: str) -> ResponseReturnValue:
    """Show one import: the page grows with its state."""
    found = imports.get_import(current_user, public_id)
    note_seen(imports.latest_job(found))
    return render_page("imports/show.html", "imports/_state.html", **_context(found))


@blueprint.get("/<public_id>/errors")
def list_errors(public_id: str) -> ResponseReturnValue:
    """List more of the rows that were refused."""
    found = imports.get_import(current_user, public_id)
    return render_page("imports/errors.html", "imports/_errors.html", **_error_context(found))


@blueprint.post("/<public_id>/application")
def start_import(public_id: str) -> ResponseReturnValue:
    """Start taking the rows in, by the mapping that was sent."""
    found = imports.get_import(current_user, public_id)
    resource = get_resource(found.resource)
    mapping = {
        field.name: _read_mapping(field.name, found.mapping or {})
        for field in imports.mappable_fields(resource)
    }
    options = {"on_error": request.form.get("on_error", "skip")}
    try:
        imports.start_import(current_user, public_id, mapping, options)
    except Invalid as error:
        context = _context(found) | {"problems": error.problems, "mapping": mapping, "options": options}
        return render_template("imports/show.html", **context), 422
    except Conflict:
        pass  # it was started already, by a second click or another tab: the page shows how far it is
    return go_to(url_for("imports.show_import", public_id=public_id))


def _read_mapping(name: str, suggested: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a field's values come from, as the form says; words already matched are kept."""
    return {
        "column": request.form.get(f"column-{name}") or None,
        "default": request.form.get(f"default-{name}", "").strip(),
        "values": (suggested.get(name) or {}).get("values") or {},
    }


def _context(found: DataImport) -> dict[str, Any]:
    resource = get_resource(found.resource)
    job = imports.latest_job(found)
    dialect = found.dialect or {}
    return {
        "data_import": found,
        "resource": resource,
        "job": job,
        "pace": measure_pace(job),
        "dialect": dialect,
        "columns": list(dialect.get("columns") or ()),
        "samples": _collect_samples(found),
        "fields": imports.mappable_fields(resource),
        "mapping": found.mapping or {},
        "suggestions": (found.report or {}).get("suggestions") or {},
        "options": found.options or {},
        "problems": {},
        **_error_context(found),
    }


def _collect_samples(found: DataImport) -> dict[str, list[str]]:
    """Return the first few different values of each column."""
    samples: dict[str, list[str]] = {}
    for _line, row in found.sample or ():
        for column, text in row.items():
            values = samples.setdefault(column, [])
            if text and text not in values and len(values) < SHOWN_SAMPLES:
                values.append(text)
    return samples


def _error_context(found: DataImport) -> dict[str, Any]:
    """Return one page of refused rows, from the line and id that the address names."""
    line, row_id = request.args.get("after_line", type=int), request.args.get("after_id", type=int)
    after = (line, row_id) if line is not None and row_id is not None else None
    rows = imports.list_row_errors(found, after=after, limit=ERROR_ROWS + 1)
    return {
        "data_import": found,
        "resource": get_resource(found.resource),
        "errors": rows[:ERROR_ROWS],
        "has_more_errors": len(rows) > ERROR_ROWS,
        "is_later_page": after is not None,
    }
