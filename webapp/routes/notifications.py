"""What the toasts said, for later: one entry for each ended job, and for what became low."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.extensions import db
from webapp.htmx import go_to, render_page
from webapp.models import DataImport
from webapp.services import jobs, news, notices

PAGE_ROWS = 50

blueprint = Blueprint("notifications", __name__, url_prefix="/notifications")


@blueprint.get("/")
def list_notifications() -> ResponseReturnValue:
    """List the reader's notifications, newest first."""
    before = request.args.get("before", type=int)
    page = news.list_news(current_user, before_id=before, limit=PAGE_ROWS)
    return render_page("notifications/list.html", "notifications/_list.html", page=page, before=before)


@blueprint.post("/read-marks")
def mark_all_read() -> ResponseReturnValue:
    """Mark every notification as read."""
    news.read_all(current_user)
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


@blueprint.get("/low-stock/toast")
def show_low_stock_toast() -> ResponseReturnValue:
    """Show one toast for all that has just become low; nothing where there is no such news."""
    fresh = notices.list_fresh(current_user, notices.STOCK_LOW)
    if not fresh:
        return "", 204
    count = sum(notice.count for notice in fresh)
    return render_template("notifications/_low_stock_toast.html", count=count, newest=fresh[0])


@blueprint.get("/low-stock")
def open_low_stock() -> ResponseReturnValue:
    """Go to the list of what is low: its notices are read by that, as a job's by looking at the job."""
    notices.read_notices(current_user, notices.STOCK_LOW)
    return go_to(url_for("records.list_records", resource="products", low_stock=1))
