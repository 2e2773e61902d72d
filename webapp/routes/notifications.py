"""What the toasts said, for later: one notification for each ended job."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.extensions import db
from webapp.htmx import go_to, render_page
from webapp.models import DataImport
from webapp.services import jobs

PAGE_ROWS = 50

blueprint = Blueprint("notifications", __name__, url_prefix="/notifications")


@blueprint.get("/")
def list_notifications() -> ResponseReturnValue:
    """List the reader's notifications, newest first."""
    before = request.args.get("before", type=int)
    found = jobs.list_notifications(current_user, before_id=before, limit=PAGE_ROWS + 1)
    return render_page(
        "notifications/list.html",
        "notifications/_list.html",
        jobs=found[:PAGE_ROWS],
        next_before=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None,
        before=before,
    )


@blueprint.post("/read-marks")
def mark_all_read() -> ResponseReturnValue:
    """Mark every notification as read."""
    jobs.read_all(current_user)
    return go_to(url_for("notifications.list_notifications"))


@blueprint.get("/bell")
def show_bell() -> ResponseReturnValue:
    """Show the bell with its count."""
    return render_template("notifications/_bell.html")


@blueprint.get("/<uuid:task_id>/toast")
def show_toast(task_id: object) -> ResponseReturnValue:
    """Show one toast for the end of a job."""
    job = jobs.get_job(current_user, str(task_id))
    data_import = db.session.get(DataImport, job.data_import_id) if job.data_import_id else None
    return render_template("notifications/_toast.html", job=job, data_import=data_import)
