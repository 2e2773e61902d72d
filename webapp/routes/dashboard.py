"""The first page: how the shop is doing."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.htmx import render_page
from webapp.models import TaskNotification
from webapp.models.base import utc_now
from webapp.services import jobs, metrics

LATEST_JOBS = 5

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/")
def show() -> ResponseReturnValue:
    """Show the cached figures with their age; nothing is computed for this page once they exist."""
    figures = metrics.get_metrics()
    ages = [item["computed_at"] for item in figures.values()]
    computed_at = min(ages) if ages else None
    return render_page(
        "dashboard/dashboard.html",
        "dashboard/_figures.html",
        figures={name.partition(":")[2]: item["value"] for name, item in figures.items()},
        computed_at=computed_at,
        is_stale=computed_at is not None and metrics.is_stale(computed_at, utc_now()),
        latest_jobs=_list_latest_jobs(),
    )


@blueprint.get("/latest-jobs")
def show_latest_jobs() -> ResponseReturnValue:
    """Show the latest jobs alone, for when one of them moved on."""
    return render_template("dashboard/_latest_jobs.html", latest_jobs=_list_latest_jobs())


def _list_latest_jobs() -> list[TaskNotification]:
    """Return the reader's latest jobs but for files that were merely read: their imports say more."""
    found = jobs.list_jobs(current_user, limit=2 * LATEST_JOBS)
    return [job for job in found if job.task_type != "import_inspect" or job.status != "completed"][
        :LATEST_JOBS
    ]
