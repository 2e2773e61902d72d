"""What is done with many records of a list: ticked ones, or all that its filters leave."""

from typing import Any

import flask_babel
from flask import abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from webapp.errors import Conflict, Invalid, Problem
from webapp.htmx import go_to
from webapp.models import TaskNotification
from webapp.resources.base import N_, Resource
from webapp.routes.flashes import flash_hint, flash_refusal
from webapp.routes.questions import ask
from webapp.routes.records import blueprint
from webapp.services import bulk_jobs, bulk_records, queries
from webapp.services.accounts import require_role
from webapp.services.bulk_records import BulkResult
from webapp.services.bulk_selection import MOST, Selection, count_selected
from webapp.services.bulk_steps import list_bulk_fields

FILTER_PREFIX = "filter-"
LONGEST_LIST = 200  # of refused records on a page


@blueprint.post("/<resource:resource>/bulk")
def bulk(resource: Resource) -> ResponseReturnValue:
    """Delete, change or export many records; what changes them is asked for first, with their number."""
    act = {"delete": _delete, "edit": _edit, "export": _export}.get(request.form.get("action", ""))
    if act is None:
        abort(400)
    selection = read_selection(resource)
    if selection.is_empty:
        flash_hint(_("Tick the records first."))
        return go_to(_find_way_back(selection))
    try:
        return act(selection)
    except Conflict as error:
        flash_refusal(error)
        return go_to(_find_way_back(selection))


def read_selection(resource: Resource) -> Selection:
    """Return what the posted form is about."""
    known = queries.list_filter_names(resource)
    filters = {
        name: text
        for field, text in request.form.items()
        if (name := field.removeprefix(FILTER_PREFIX)) != field and name in known and text
    }
    ids = [int(text) for text in request.form.getlist("ids") if text.isdecimal() and len(text) < 19]
    return Selection(resource, tuple(dict.fromkeys(ids)), filters, request.form.get("everything") == "yes")


def list_selection_fields(selection: Selection) -> list[tuple[str, str]]:
    """Return the pairs with which a form says again what it is about, and how the list was ordered."""
    ids = [] if selection.is_everything else [("ids", str(one)) for one in selection.ids]
    everything = [("everything", "yes")] if selection.is_everything else []
    sort = [("sort", request.form["sort"])] if request.form.get("sort") else []
    return [
        *ids,
        *everything,
        *sort,
        *((f"{FILTER_PREFIX}{name}", text) for name, text in selection.filters.items()),
    ]


def _find_way_back(selection: Selection) -> str:
    """Return the address of the list as it was, but for its page: other records may stand on that by now."""
    arguments: dict[str, Any] = dict(selection.filters)
    sort = request.form.get("sort") or None
    return url_for("records.list_records", resource=selection.resource, sort=sort, **arguments)


def _export(selection: Selection) -> ResponseReturnValue:
    chosen: dict[str, str] = dict(selection.filters)
    if not selection.is_everything:
        chosen = {"ids": ",".join(map(str, selection.ids))}
    return go_to(url_for("exports.new_export", resource=selection.resource.name, **chosen))  # type: ignore[arg-type]


def _delete(selection: Selection) -> ResponseReturnValue:
    require_role(current_user, "editor")
    back = _find_way_back(selection)
    if request.form.get("confirmed") == "yes":
        if _is_for_a_job():
            return _go_to_job(bulk_jobs.request_deletion(current_user, selection))
        result = bulk_records.delete_many(current_user, selection, expected=_read_expected())
        done = ngettext(
            "%(number)s record deleted.",
            "%(number)s records deleted.",
            result.done,
            number=_write(result.done),
        )
        return _tell(selection, result, done)
    count, number = _count(selection)
    note = _("What other records refer to stays, and is listed. Deleting cannot be undone.")
    fields = [("action", "delete"), ("expected", str(count)), *list_selection_fields(selection)]
    return ask(
        ngettext("Delete %(number)s record?", "Delete %(number)s records?", count, number=number),
        f"{note} {_explain_job()}" if count > MOST else note,
        ngettext("Delete %(number)s record", "Delete %(number)s records", count, number=number),
        url_for("records.bulk", resource=selection.resource),
        back,
        fields,
    )


def _edit(selection: Selection) -> ResponseReturnValue:
    """Ask for the field, then for its value, then set it."""
    require_role(current_user, "editor")
    fields = {field.name: field for field in list_bulk_fields(selection.resource)}
    field = fields.get(request.form.get("field", ""))
    problem: Problem | None = None
    text = request.form.get("value", "")
    if field is not None and request.form.get("confirmed") == "yes":
        try:
            if _is_for_a_job():
                job = bulk_jobs.request_edit(
                    current_user, selection, field.name, text, decimal=_find_decimal()
                )
                return _go_to_job(job)
            result = bulk_records.edit_many(
                current_user, selection, field.name, text, decimal=_find_decimal(), expected=_read_expected()
            )
        except Invalid as error:
            problem = next(iter(error.problems.values()))
        else:
            done = ngettext(
                "%(number)s record changed.",
                "%(number)s records changed.",
                result.done,
                number=_write(result.done),
            )
            return _tell(selection, result, done)
    count, number = _count(selection)
    page = render_template(
        "records/bulk_edit.html",
        resource=selection.resource,
        fields=list(fields.values()),
        field=field,
        text=text,
        problem=problem,
        count=count,
        number=number,
        explained=_explain_job() if count > MOST else "",
        selected=list_selection_fields(selection),
        back=_find_way_back(selection),
    )
    return page, 422 if problem else 200


def _count(selection: Selection) -> tuple[int, str]:
    """Return how many records are selected, also in words; Conflict when somebody else has deleted them all."""
    count, is_exact = count_selected(selection)
    if not count:
        raise Conflict(N_("None of these records is there any more."))
    return count, _write(count) if is_exact else _("about %(number)s", number=_write(count))


def _find_decimal() -> str:
    symbols: Any = flask_babel.get_locale().number_symbols
    return str(symbols["latn"]["decimal"])


def _read_expected() -> int | None:
    return request.form.get("expected", type=int)


def _is_for_a_job() -> bool:
    """Whether the person was shown more records than are acted on while somebody waits."""
    return (_read_expected() or 0) > MOST


def _go_to_job(job: TaskNotification) -> ResponseReturnValue:
    return go_to(url_for("jobs.show_job", task_id=job.task_id))


def _explain_job() -> str:
    return str(_("It is done in the background; you see how far it is, and can stop it."))


def _write(number: int) -> str:
    return str(flask_babel.format_decimal(number))


def _tell(selection: Selection, result: BulkResult, done: str) -> ResponseReturnValue:
    """Say what became of them: in a line over the list, or on a page that names those that stay as they were."""
    if not result.refused:
        flash(done)
        return go_to(_find_way_back(selection))
    return render_template(
        "records/bulk_result.html",
        resource=selection.resource,
        done=done,
        refused=result.refused[:LONGEST_LIST],
        count=len(result.refused),
        back=_find_way_back(selection),
    )
