"""The first page: how the shop is doing."""

import csv
import io
from typing import Any

from flask import Blueprint, Response, abort, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.extensions import settings
from webapp.htmx import go_to, render_page, wants_fragment
from webapp.models import TaskNotification
from webapp.models.base import utc_now
from webapp.pipeline.formula import neutralise_formula
from webapp.routes.fragments import render_once
from webapp.services import jobs, metrics, metrics_refresh
from webapp.services.latest_movements import list_latest_movements
from webapp.services.metrics_tables import TABLES

LATEST_JOBS = 5
LATEST_MOVEMENTS = 8

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/")
def show() -> ResponseReturnValue:
    """Show the cached figures with their age; nothing is computed for this page once they exist."""
    cached = metrics.get_metrics()
    computed_at = min(item["computed_at"] for item in cached.values())
    figures = _values(cached)
    version = tuple(item["computed_at"] for item in cached.values())
    return render_page(
        "dashboard/dashboard.html",
        "dashboard/_figures.html",
        figures=figures,
        part=lambda template: render_once(template, version, figures=figures, currency=settings().currency),
        computed_at=computed_at,
        stale_after=metrics.STALE_AFTER,
        is_stale=metrics.is_stale(computed_at, utc_now()),
        is_refreshing=current_user.has_role("editor") and metrics_refresh.is_refreshing(),
        latest_jobs=_list_latest_jobs(),
        movements=_render_movements(),
    )


def _values(cached: dict[str, metrics.Cached]) -> dict[str, Any]:
    return {name.partition(":")[2]: item["value"] for name, item in cached.items()}


def _render_movements() -> str:
    found = tuple(list_latest_movements(LATEST_MOVEMENTS))
    return render_once("dashboard/_latest_movements.html", found, latest_movements=found)


@blueprint.get("/latest-jobs")
def show_latest_jobs() -> ResponseReturnValue:
    """Show the latest jobs alone, for when one of them moved on."""
    return render_template("dashboard/_latest_jobs.html", latest_jobs=_list_latest_jobs())


@blueprint.post("/figures/refresh")
def refresh_figures() -> ResponseReturnValue:
    """Have the figures computed now; open pages are told when they are there."""
    metrics_refresh.refresh_now(current_user)
    if wants_fragment():
        return render_template("dashboard/_refreshing.html"), 202
    return go_to(url_for("dashboard.show"))


@blueprint.get("/figures/<name>.csv")
def download_figures(name: str) -> ResponseReturnValue:
    """Send the numbers behind a chart, as of the moment that the page shows."""
    table = TABLES.get(name)
    if table is None:
        abort(404)
    cached = metrics.get_metrics()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_(label) for label, _name in table.columns])
    for row in table.list_rows(_values(cached)):
        writer.writerow([_cell(row[column]) for _label, column in table.columns])
    day = min(item["computed_at"] for item in cached.values()).astimezone(settings().zone)
    answer = Response(
        "\ufeff" + text.getvalue(), mimetype="text/csv"
    )  # with the mark by which Excel knows UTF-8
    answer.headers["Content-Disposition"] = f"attachment; filename={name}-{day:%Y-%m-%d}.csv"
    return answer


def _cell(value: Any) -> Any:
    """Products of no brand have no name; what a spreadsheet would run is made harmless."""
    return neutralise_formula(value) if isinstance(value, str) else value


def _list_latest_jobs() -> list[TaskNotification]:
    """Return the reader's latest jobs but for files that were merely read: their imports say more."""
    found = jobs.list_jobs(current_user, limit=2 * LATEST_JOBS)
    return [job for job in found if job.task_type != "import_inspect" or job.status != "completed"][
        :LATEST_JOBS
    ]
