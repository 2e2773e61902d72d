"""What can be done about the rows that were not taken: correct one, correct many, try them again."""

from typing import Any

from flask import Blueprint, Response, flash, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from webapp.errors import Conflict, Invalid, NotFound, Problem
from webapp.htmx import go_to, render_page, wants_fragment
from webapp.models import DataImport, ImportRowError
from webapp.resources.registry import get_resource
from webapp.routes.flashes import flash_refusal
from webapp.routes.import_context import build_context
from webapp.services import import_errors, import_fixes, imports
from webapp.services.accounts import require_role

LARGEST_LINE = 2**31 - 1
MOST_REASONS = 100

blueprint = Blueprint("imports_fixes", __name__, url_prefix="/imports")


@blueprint.before_request
def require_editor() -> None:
    """Whoever may only read corrects nothing."""
    if request.method != "GET":
        require_role(current_user, "editor")


@blueprint.get("/<public_id>/failed-rows.csv")
def download_failed(public_id: str) -> ResponseReturnValue:
    """Send the rows that were not taken, as they were, with the reason of each."""
    found = imports.get_import(current_user, public_id)
    stem = found.file_name.rpartition(".")[0] or found.file_name
    response = Response(
        stream_with_context(import_errors.open_failed_rows(found)), mimetype="text/csv; charset=utf-8"
    )
    name = _("%(name)s, rows to correct.csv", name=stem)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@blueprint.get("/<public_id>/rows/<int:line>")
def edit_row(public_id: str, line: int) -> ResponseReturnValue:
    """Show one row that was not taken, ready to be corrected."""
    found = imports.get_import(current_user, public_id)
    return _row_page(found, line)


@blueprint.post("/<public_id>/rows/<int:line>")
def fix_row(public_id: str, line: int) -> ResponseReturnValue:
    """Keep the corrected cells of a row; they are tried when all corrections are applied."""
    found = imports.get_import(current_user, public_id)
    reasons = _find_reasons(found, line)
    columns = list(reasons[0].row or {})
    typed = {
        column: request.form[f"cell-{place}"]
        for place, column in enumerate(columns)
        if f"cell-{place}" in request.form
    }
    try:
        import_fixes.fix_row(current_user, public_id, line, typed)
    except Invalid as error:
        return _row_page(found, line, typed=typed, problems=list(error.problems.values())), 422
    except Conflict as error:
        flash_refusal(error)
        return go_to(url_for("imports.show_import", public_id=public_id))
    if wants_fragment():
        row = render_template(
            "imports/_row.html",
            row=_find_reasons(found, line)[0],
            data_import=found,
            can_fix=True,
            is_fresh=True,
        )
        answer = Response(row)
        answer.headers["HX-Trigger"] = "rows-fixed"
        return answer
    flash(_("Line %(line)s is corrected. Try it when you have corrected all that you want.", line=line))
    return go_to(url_for("imports.show_import", public_id=public_id, _anchor=f"line-{line}"))


def _row_page(
    found: DataImport, line: int, typed: dict[str, str] | None = None, problems: list[Problem] | None = None
) -> str:
    reasons = _find_reasons(found, line)
    first = reasons[0]
    return render_page(
        "imports/row.html",
        "imports/_row_form.html",
        data_import=found,
        resource=get_resource(found.resource),
        line=line,
        reasons=reasons,
        cells={**(first.row or {}), **(first.fixes or {}), **(typed or {})},
        problems=problems or [],
        is_inline=wants_fragment(),
    )


def _find_reasons(found: DataImport, line: int) -> list[ImportRowError]:
    """Return why a row was not taken; the first reason holds the row itself."""
    if line > LARGEST_LINE:
        raise NotFound(str(line))
    rows = import_errors.list_row_errors(found, after=(line, 0), limit=MOST_REASONS)
    reasons = [row for row in rows if row.line == line]
    if not reasons or reasons[0].row is None:
        raise NotFound(str(line))
    return reasons


@blueprint.post("/<public_id>/replacements")
def fix_value(public_id: str) -> ResponseReturnValue:
    """Correct the same value in every row that was not taken because of it."""
    found = imports.get_import(current_user, public_id)
    column, old, new = (request.form.get(name, "") for name in ("column", "old", "new"))
    try:
        count = import_fixes.fix_value(current_user, public_id, column, old, new.strip())
    except Invalid as error:
        return _problem_page(found, error)
    except Conflict as error:
        flash_refusal(error)
    else:
        flash(ngettext("%(num)s row is corrected.", "%(num)s rows are corrected.", count))
    return go_to(url_for("imports.show_import", public_id=public_id, _anchor="corrections"))


@blueprint.post("/<public_id>/corrections")
def start_fixed(public_id: str) -> ResponseReturnValue:
    """Take in the rows that were corrected, and only those."""
    found = imports.get_import(current_user, public_id)
    try:
        import_fixes.start_fixed(current_user, public_id)
    except Invalid as error:
        return _problem_page(found, error)
    except Conflict as error:
        flash_refusal(error)
    return go_to(url_for("imports.show_import", public_id=public_id))


def _problem_page(found: DataImport, error: Invalid) -> Any:
    return render_template("imports/show.html", **build_context(found, problems=error.problems)), 422
