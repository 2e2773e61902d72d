"""Background jobs as their owner sees them: the list, one job, its file, and what can be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.errors import Conflict, Invalid, NotFound
from webapp.extensions import db
from webapp.htmx import go_to, render_page
from webapp.models import DataImport, TaskNotification
from webapp.models.base import utc_now
from webapp.routes.downloads import get_file_of, send_kept_file
from webapp.routes.flashes import flash_hint, flash_refusal
from webapp.routes.questions import ask
from webapp.services import bulk_jobs, job_actions, jobs, monitor
from webapp.services.import_again import prepare_import_again
from webapp.services.monitor_types import JobFilter

PAGE_ROWS = 50
LARGEST_ID = 2**63 - 1
# The kinds that people ask for; the others are the house's own.
OWN_KINDS = ("export", "import", "import_inspect", "bulk_edit", "bulk_delete")
ESTIMATE_FROM = 0.1  # a time left that is guessed from less than this share is a lie

FIRST_LOOK = timedelta(seconds=1)


@dataclass(frozen=True)
class Pace:
    """How many rows a second a job does, and how long it will still take where that can be told."""

    rate: int
    left: timedelta | None


blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")


@blueprint.get("/")
def list_jobs() -> ResponseReturnValue:
    """List the reader's own jobs, newest first: filtered and paged by the address alone."""
    filters = read_filters(request.args)
    wanted = JobFilter(state=filters.get("state"), task_type=filters.get("kind"), text=filters.get("q", ""))
    before = request.args.get("before", type=int)
    cursor = before if before is not None and 0 < before <= LARGEST_ID else None
    return render_page(
        "jobs/list.html",
        "jobs/_table.html",
        page=monitor.list_own_jobs(current_user, wanted, cursor=cursor, limit=PAGE_ROWS),
        filters=filters,
        states=monitor.SHOWN_STATES,
        kinds=OWN_KINDS,
        before=cursor,
    )


def read_filters(values: Mapping[str, str]) -> dict[str, str]:
    """Return what an address narrows the list to; what cannot be read is left out."""
    found = {name: values.get(name, "").replace("\0", "").strip() for name in ("state", "kind", "q")}
    if found["state"] not in monitor.SHOWN_STATES:
        found["state"] = ""
    if found["kind"] not in OWN_KINDS:
        found["kind"] = ""
    return {name: text for name, text in found.items() if text}


@blueprint.get("/<uuid:task_id>")
def show_job(task_id: object) -> ResponseReturnValue:
    """Show one job: how far it is, how it ended, and its file. Who opens their own has read its notification."""
    note_seen(jobs.get_job(current_user, str(task_id)))
    return render_template("jobs/show.html", **_context(task_id))


def note_seen(job: TaskNotification | None) -> None:
    """Mark the notification of a job as read when its owner sees how it ended; nothing is written otherwise."""
    if job is not None and job.is_final and not job.is_read and job.user_id == current_user.id:
        jobs.read_job(current_user, job.task_id)


@blueprint.get("/<uuid:task_id>/progress")
def show_progress(task_id: object) -> ResponseReturnValue:
    """Show the part of the page that moves."""
    return render_template("jobs/_progress.html", **_context(task_id))


def _context(task_id: object) -> dict[str, object]:
    job = jobs.get_job(current_user, str(task_id))
    return {
        "job": job,
        "data_import": _get_import(job),
        "pace": measure_pace(job),
        "attempts": monitor.get_attempts(current_user, job.task_id),
        "actions": job_actions.list_actions(job.status, job),
        "refused": bulk_jobs.list_refused(job),
    }


def _get_import(job: TaskNotification) -> DataImport | None:
    return db.session.get(DataImport, job.data_import_id) if job.data_import_id else None


def measure_pace(job: TaskNotification | None) -> Pace | None:
    """Return how fast a running job goes, once it has something to show."""
    if job is None or job.status != "processing" or not job.total or not job.started_at:
        return None
    spent = utc_now() - (job.started_at if job.checkpoint else jobs.find_try_start(job))
    share = min(job.processed / job.total, 1)
    if not job.processed or spent < FIRST_LOOK:
        return None
    left = timedelta(seconds=round((spent * ((1 - share) / share)).total_seconds()))
    return Pace(round(job.processed / spent.total_seconds()), left if ESTIMATE_FROM <= share < 1 else None)


@blueprint.post("/<uuid:task_id>/retries")
def retry_job(task_id: object) -> ResponseReturnValue:
    """Try a job again that failed or was cancelled."""
    try:
        jobs.retry_job(current_user, str(task_id))
    except Conflict as error:
        flash_refusal(error)
    return _go_to_job(task_id)


@blueprint.post("/<uuid:task_id>/cancellation")
def cancel_job(task_id: object) -> ResponseReturnValue:
    """Cancel a job: at once when it waits, at its next batch when it runs."""
    try:
        jobs.cancel_job(current_user, str(task_id))
    except Conflict as error:
        flash_refusal(error)
    return _go_to_job(task_id)


@blueprint.post("/<uuid:task_id>/runs")
def run_again(task_id: object) -> ResponseReturnValue:
    """Ask for the same work once more, as a new job."""
    try:
        made = job_actions.run_again(current_user, str(task_id))
    except Invalid:
        flash_hint(_("It can no longer be made as it was. Look at what is chosen here."))
        return go_to(url_for("exports.new_export", like=task_id))
    except Conflict as error:
        flash_refusal(error)
        return go_to(url_for("jobs.show_job", task_id=task_id))
    return go_to(url_for("jobs.show_job", task_id=made.task_id))


@blueprint.post("/<uuid:task_id>/imports")
def import_again(task_id: object) -> ResponseReturnValue:
    """Take an import's file up again, as a new import whose mapping is looked at before it is started."""
    return take_up_again(task_id, url_for("jobs.show_job", task_id=task_id))


def take_up_again(task_id: object, back: str) -> ResponseReturnValue:
    """Lead to the new import of a job's file, or ``back`` with the reason why there is none."""
    try:
        made = prepare_import_again(current_user, str(task_id))
    except Conflict as error:
        flash_refusal(error)
        return go_to(back)
    flash_hint(_("This is a new import of the same file. Nothing is saved until you start it."))
    return go_to(url_for("imports.show_import", public_id=made.public_id))


@blueprint.post("/<uuid:task_id>/deletion")
def delete_job(task_id: object) -> ResponseReturnValue:
    """Delete a job that has ended, once that is confirmed."""
    jobs.get_job(current_user, str(task_id))  # nobody is asked about what is not there
    url = url_for("jobs.show_job", task_id=task_id)
    if request.form.get("confirmed") != "yes":
        return ask(
            _("Delete this job?"),
            _("Its row, its file and its log lines go for good. What it imported stays."),
            _("Delete"),
            url_for("jobs.delete_job", task_id=task_id),
            url,
        )
    try:
        job_actions.delete_job(current_user, str(task_id))
    except Conflict as error:
        flash_refusal(error)
        return go_to(url)
    flash(_("The job was deleted."))
    return go_to(url_for("jobs.list_jobs"))


def _go_to_job(task_id: object) -> ResponseReturnValue:
    """Return to where the job is shown: an import's own page, or the job's."""
    data_import = _get_import(jobs.get_job(current_user, str(task_id)))
    if data_import is not None:
        return go_to(url_for("imports.show_import", public_id=data_import.public_id))
    return go_to(url_for("jobs.show_job", task_id=task_id))


@blueprint.post("/<uuid:task_id>/read-mark")
def mark_read(task_id: object) -> ResponseReturnValue:
    """Note that the job's end was seen; the bell that comes back counts one less."""
    jobs.read_job(current_user, str(task_id))
    return render_template("notifications/_bell.html")


@blueprint.get("/<uuid:task_id>/download")
def download_file(task_id: object) -> ResponseReturnValue:
    """Send the file of an export to its owner, until its time is over."""
    job = jobs.get_job(current_user, str(task_id))
    try:
        return send_kept_file(get_file_of(job))
    except NotFound:
        return _file_is_gone(job)


def _file_is_gone(job: TaskNotification) -> ResponseReturnValue:
    page = render_template("exports/gone.html", job=job, actions=job_actions.list_actions(job.status, job))
    return page, 404
