"""The consumers' logs, live."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.errors import NotFound
from webapp.htmx import render_page
from webapp.routes.guards import require_admin
from webapp.services import monitor
from webapp.services.monitor_types import LogPage

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LARGEST_ID = 2**63 - 1

blueprint = Blueprint("monitor_logs", __name__, url_prefix="/monitor/logs")
blueprint.before_request(require_admin)


@blueprint.get("/")
def show_logs() -> ResponseReturnValue:
    """Show the newest lines; the page appends what comes."""
    filters = read_filters()
    return render_page(
        "monitor/logs.html",
        "monitor/_logs.html",
        lines=_list_lines(filters, before=_read_id("before")),
        filters=filters,
        levels=LEVELS,
        is_past="before" in request.args,
    )


@blueprint.get("/tail")
def show_tail() -> ResponseReturnValue:
    """Show the newest lines of one job for the text and level that its page asks for."""
    filters = read_filters()
    is_ended = _has_ended(filters.get("task_id", ""))  # asked first: see show_lines
    return render_template(
        "monitor/_log.html",
        lines=_list_lines(filters),
        log_url=log_lines_url(filters, shows_job=False),
        is_ended=is_ended,
        shows_job=False,
    )


@blueprint.get("/lines")
def show_lines() -> ResponseReturnValue:
    """Show the lines after the last one that a page has; of one job until it has ended."""
    filters = read_filters()
    has_ended = _has_ended(filters.get("task_id", ""))  # asked first: what it wrote until then is read below
    lines = _list_lines(filters, after=_read_id("after") or 0)
    return render_template(
        "monitor/_log_lines.html",
        lines=lines,
        after=_read_id("after") or 0,
        is_ended=has_ended and not lines.has_more,
        shows_job=request.args.get("shows_job") == "yes",
    )


def read_filters() -> dict[str, str]:
    """Return what the address narrows the lines to."""
    found = {name: request.args.get(name, "").replace("\0", "").strip() for name in ("level", "task_id", "q")}
    if found["level"] not in LEVELS:
        found["level"] = ""
    return {name: text for name, text in found.items() if text}


def _list_lines(filters: dict[str, str], *, after: int | None = None, before: int | None = None) -> LogPage:
    try:
        return monitor.list_logs(
            current_user,
            after_id=after,
            before_id=before,
            level=filters.get("level"),
            task_id=filters.get("task_id"),
            text=filters.get("q", ""),
        )
    except NotFound:  # an id that is still being typed, or of a deleted job
        return LogPage([], None, None, has_more=False)


def _read_id(name: str) -> int | None:
    value = request.args.get(name, type=int)
    return None if value is None else max(0, min(value, LARGEST_ID))


def _has_ended(task_id: str) -> bool:
    if not task_id:
        return False
    try:
        return monitor.get_job_detail(current_user, task_id).row.job.is_final
    except NotFound:
        return True


@blueprint.app_template_global()
def log_lines_url(filters: dict[str, str], *, shows_job: bool) -> str:
    """Return the address at which a page asks for the lines after its last one."""
    return url_for("monitor_logs.show_lines", **filters, shows_job="yes" if shows_job else "no")  # type: ignore[arg-type]
