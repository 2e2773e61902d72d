"""Jobs: how far they are, what they made, what can be done about them."""

import uuid
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as NoSuchThing

from webapp.api.auth import current_actor, require_write
from webapp.api.blueprint import ApiBlueprint
from webapp.api.job_schemas import (
    JobListSchema,
    JobQuerySchema,
    JobSchema,
    WaitSchema,
    describe_job,
)
from webapp.errors import NotFound
from webapp.models import TaskNotification
from webapp.pipeline.formats import FORMATS
from webapp.routes.downloads import get_file_of, send_kept_file
from webapp.services import job_actions, job_waiting, jobs, monitor
from webapp.services.monitor_types import JobFilter

blueprint = ApiBlueprint(
    "jobs", __name__, description="Background work: exports, imports and what the house does."
)
# A file is of its format's media type, compressed or not.
FILE: dict[str, Any] = {item.mimetype: {} for item in FORMATS.values()} | {"application/gzip": {}}


def answer_accepted(job: TaskNotification) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Return the answer to who asked for a job: where it can be watched."""
    return describe_job(job), 202, {"Location": url_for("api_jobs.show_job", task_id=job.task_id)}


@blueprint.get("/jobs")
@blueprint.arguments(JobQuerySchema, location="query")
@blueprint.response(200, JobListSchema)
def list_jobs(query: dict[str, Any]) -> dict[str, Any]:
    """List your jobs, newest first.

    Narrow them by what they are and how they ended; administrators see everybody's with `everybody=true`.
    """
    wanted = JobFilter(
        state=query.get("status"),
        task_type=query.get("task_type"),
        model_name=query.get("model_name"),
        text=query["q"],
    )
    find = monitor.list_jobs if query["everybody"] else monitor.list_own_jobs
    page = find(current_actor(), wanted, query.get("before"), query["limit"])
    following = request.args.to_dict() | {"before": str(page.next_cursor)}
    return {
        "items": [describe_job(row.job) for row in page.rows],
        "next": url_for("api_jobs.list_jobs", **following) if page.next_cursor else None,  # type: ignore[arg-type]
    }


@blueprint.get("/jobs/<uuid:task_id>")
@blueprint.arguments(WaitSchema, location="query")
@blueprint.response(200, JobSchema)
def show_job(query: dict[str, Any], task_id: uuid.UUID) -> dict[str, Any]:
    """Look at one job, or wait for its end.

    With `wait=30` the answer comes when the job has ended, after 30 seconds at the latest.
    """
    return describe_job(job_waiting.wait_for_end(current_actor(), str(task_id), query["wait"]))


@blueprint.delete("/jobs/<uuid:task_id>")
@blueprint.response(204)
def delete_job(task_id: uuid.UUID) -> None:
    """Delete a job that has ended.

    Its file and its log lines go, too. What it imported stays.
    """
    _check_scope(str(task_id))
    job_actions.delete_job(current_actor(), str(task_id))


@blueprint.get("/jobs/<uuid:task_id>/download")
@blueprint.doc(
    responses={
        "200": {"description": "The file.", "content": FILE},
        "206": {"description": "The part of it that Range asks for.", "content": FILE},
        "304": {"description": "You have it already: its ETag is in If-None-Match."},
    }
)
def download_file(task_id: uuid.UUID) -> Response:
    """Get the file of an export.

    Its SHA-256 is its ETag; a download that broke off goes on with `Range` and `If-Range`.
    """
    try:
        return send_kept_file(get_file_of(jobs.get_job(current_actor(), str(task_id))))
    except NotFound:
        raise NoSuchThing(
            _("This job has no file: it has not ended well, or its file's time is over.")
        ) from None


@blueprint.post("/jobs/<uuid:task_id>/cancellation")
@blueprint.response(200, JobSchema)
def cancel_job(task_id: uuid.UUID) -> dict[str, Any]:
    """Cancel a job.

    What waits is cancelled at once, what runs stops at its next batch: its status says so then.
    """
    _check_scope(str(task_id))
    return describe_job(jobs.cancel_job(current_actor(), str(task_id)))


@blueprint.post("/jobs/<uuid:task_id>/retries")
@blueprint.response(202, JobSchema)
def retry_job(task_id: uuid.UUID) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Try a job again that failed or was cancelled.

    An import goes on after the last row that is saved.
    """
    _check_scope(str(task_id))
    return answer_accepted(jobs.retry_job(current_actor(), str(task_id)))


@blueprint.put("/jobs/<uuid:task_id>/read-mark")
@blueprint.response(204)
def mark_read(task_id: uuid.UUID) -> None:
    """Note that the end of a job was seen."""
    jobs.read_job(current_actor(), str(task_id))


def _check_scope(task_id: str) -> None:
    """A token that may only read takes care of exports; what changes records is not its business."""
    if jobs.get_job(current_actor(), task_id).task_type != "export":
        require_write()
