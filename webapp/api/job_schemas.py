"""What a job looks like as JSON."""

from typing import Any

from flask import url_for
from marshmallow import fields, validate

from webapp.api.blueprint import ApiSchema
from webapp.api.fields import Moment
from webapp.models import STATUSES, TaskNotification
from webapp.services.monitor_types import SHOWN_STATES

MOST_JOBS = 200
LONGEST_WAIT = 60
LARGEST_ID = 2**63 - 1
LONGEST_TEXT = 200


def _count(description: str) -> fields.Integer:
    return fields.Integer(required=True, metadata={"description": description})


def _moment(description: str) -> Moment:
    return Moment(required=True, allow_none=True, metadata={"description": description})


def _text(description: str = "", **options: Any) -> fields.String:
    return fields.String(required=True, allow_none=True, metadata={"description": description}, **options)


class JobSchema(ApiSchema):
    """A job: what it does, how far it is, how it ended."""

    task_id = fields.UUID(required=True)
    task_type = fields.String(required=True, metadata={"description": "export, import, import_check …"})
    model_name = _text("The kind of records.")
    file_format = _text("The format of an export.")
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    processed = _count("Rows that are done.")
    total = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Rows there are, if known."}
    )
    record_count = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Records written, once it has ended."}
    )
    created = _count("Records that an import made.")
    updated = _count("Records that it changed.")
    unchanged = _count("Rows that said what the records said already.")
    failed = _count("Rows that were not taken: see errors_url.")
    error_message = _text("Why it failed, or why it is tried again: what, where, what to do.")
    attempt = _count("Which try this is.")
    is_read = fields.Boolean(required=True, metadata={"description": "Whether its end was seen."})
    created_at = _moment("When it was asked for.")
    started_at = _moment("When a worker took it up.")
    completed_at = _moment("When it ended.")
    expires_at = _moment("Until when its file is kept.")
    sha256 = _text("Of its file.")
    file_size = fields.Integer(required=True, allow_none=True, metadata={"description": "Bytes of its file."})
    url = fields.String(required=True, metadata={"description": "Where to ask for it again."})
    download_url = _text("Its file, while there is one.")
    errors_url = _text("The rows that its import did not take.")


class JobListSchema(ApiSchema):
    """A page of jobs, newest first."""

    items = fields.List(fields.Nested(JobSchema), required=True)
    next = _text("The address of the next page; null on the last one.")


class JobQuerySchema(ApiSchema):
    """Which jobs."""

    status = fields.String(
        validate=validate.OneOf(SHOWN_STATES),
        metadata={"description": "Finer than a job's status: scheduled, retrying and stalled, too."},
    )
    task_type = fields.String(validate=validate.Length(1, 30))
    model_name = fields.String(validate=validate.Length(1, 50))
    q = fields.String(
        load_default="",
        validate=validate.Length(max=LONGEST_TEXT),
        metadata={"description": "An id, or words of kind, resource, choices or error."},
    )
    everybody = fields.Boolean(
        load_default=False, metadata={"description": "All users' jobs: for administrators."}
    )
    before = fields.Integer(
        validate=validate.Range(1, LARGEST_ID), metadata={"description": "As the link next has it."}
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(1, MOST_JOBS))


class WaitSchema(ApiSchema):
    """How long to wait for the end."""

    wait = fields.Integer(
        load_default=0,
        validate=validate.Range(0, LONGEST_WAIT),
        metadata={"description": "Seconds after which it is answered even if the job has not ended."},
    )


class RowErrorSchema(ApiSchema):
    """One reason why one row was not taken."""

    line = fields.Integer(required=True, metadata={"description": "Of the file; its header is line 1."})
    column = _text("The column of the file; null for the whole row.")
    value = _text("What stands there.")
    detail = fields.String(required=True, metadata={"description": "What is wrong and what to do."})


class RowErrorListSchema(ApiSchema):
    """A page of reasons, by line."""

    items = fields.List(fields.Nested(RowErrorSchema), required=True)
    next = _text("The address of the next page; null on the last one.")


def describe_job(job: TaskNotification) -> dict[str, Any]:
    """Return a job as JobSchema has it."""
    own = {
        name: getattr(job, name)
        for name in JobSchema._declared_fields  # noqa: SLF001 - marshmallow's own list, in order
        if hasattr(job, name)
    }
    return own | {
        "url": url_for("api_jobs.show_job", task_id=job.task_id),
        "download_url": url_for("api_jobs.download_file", task_id=job.task_id) if job.has_file else None,
        "errors_url": url_for("api_jobs.list_errors", task_id=job.task_id) if job.data_import_id else None,
    }
