"""How much an export will be, and whether its format can take it: said before anybody waits for it."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from webapp.errors import Invalid
from webapp.extensions import db, settings
from webapp.models import JobAttempt, TaskNotification
from webapp.pipeline.formats import FORMATS, PDF, Format
from webapp.pipeline.pdf_estimate import estimate_pdf
from webapp.resources.base import N_, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import Problem
from webapp.services.queries import COUNT_LIMIT, RecordQuery, where_filters

LOOKED_AT = 200  # exports, newest first, through their index
REMEMBERED_RUNS = 5
TELLING_ROWS = 200  # a shorter PDF says more about starting two processes than about drawing rows
SLOWEST, FASTEST = 30.0, 0.1  # a machine that slept in the middle of a run teaches nothing


@dataclass(frozen=True)
class Estimate:
    """How many rows there will be, and for a PDF how many pages and seconds.

    Rows beyond what interests anybody are not counted: then ``is_exact`` is false and there are more.
    ``problem`` says why the format cannot take them, and ``instead`` names those that can.
    """

    rows: int
    is_exact: bool
    pages: int | None = None
    seconds: int | None = None
    problem: Problem | None = None
    instead: tuple[Format, ...] = ()


def estimate_export(
    resource: Resource, file_format: str, *, columns: int = 0, filters: Mapping[str, str]
) -> Estimate:
    """Return what an export would be. ``columns`` is their number, 0 for all. Invalid names a bad filter."""
    limit = get_row_limit(file_format)
    rows = count_rows(resource, filters, at_most=max(limit or 0, COUNT_LIMIT))
    if limit is not None and rows > limit:
        problem = _too_long(file_format, limit)
        return Estimate(limit, is_exact=False, problem=problem, instead=list_longer(limit))
    is_exact = rows <= max(limit or 0, COUNT_LIMIT)
    if file_format != PDF.name:
        return Estimate(rows if is_exact else COUNT_LIMIT, is_exact)
    pages, seconds = estimate_pdf(rows, columns or len(resource.fields))
    return Estimate(rows, is_exact, pages, max(1, round(seconds * learn_pace(resource))))


def get_row_limit(file_format: str) -> int | None:
    """Return how many rows a format takes: by its nature, or by a setting; None where it takes any number."""
    if file_format == PDF.name:
        return settings().pdf_max_rows
    return FORMATS[file_format].max_rows if file_format in FORMATS else None


def list_longer(limit: int) -> tuple[Format, ...]:
    """Return the formats that take more rows than this."""
    return tuple(item for item in FORMATS.values() if (get_row_limit(item.name) or limit + 1) > limit)


def check_size(resource: Resource, file_format: str, filters: Mapping[str, str]) -> None:
    """Raise Invalid when there are more rows than the format takes."""
    limit = get_row_limit(file_format)
    if limit is not None and count_rows(resource, filters, at_most=limit) > limit:
        raise Invalid({"format": _too_long(file_format, limit)})


def _too_long(file_format: str, limit: int) -> Problem:
    if file_format == PDF.name:
        return Problem(
            N_("A PDF is made of up to %(limit)s rows, and there are more."),
            N_("Take CSV or Excel, which hold more, or filter the records."),
            limit=limit,
        )
    return Problem(
        N_("An Excel sheet holds %(limit)s rows under its header, and there are more."),
        N_("Take CSV, or filter the records and make several files."),
        limit=limit,
    )


def count_rows(resource: Resource, filters: Mapping[str, str], *, at_most: int) -> int:
    """Return how many records there are, counting no further than one beyond ``at_most``."""
    query = RecordQuery(resource)
    found = query.select(()).where(*where_filters(resource, query, dict(filters))).limit(at_most + 1)
    return db.session.scalar(select(func.count()).select_from(found.subquery())) or 0


def learn_pace(resource: Resource) -> float:
    """Return how many times longer this machine's last PDFs took than was measured elsewhere, 1 without any.

    The resource's own runs count before those of others: its texts decide how many lines a row takes.
    """
    job = TaskNotification
    query = (
        select(
            job.model_name,
            job.file_format,
            job.record_count,
            job.params,
            JobAttempt.started_at,
            job.completed_at,
        )
        # The last try alone: what went before, and the wait between two tries, teaches nothing.
        .join(JobAttempt, (JobAttempt.job_id == job.id) & (JobAttempt.token == job.token))
        .where(job.task_type == "export", job.status == "completed")
    )
    recent = db.session.execute(query.order_by(job.id.desc()).limit(LOOKED_AT)).all()
    told = [row for row in recent if row.file_format == PDF.name and (row.record_count or 0) >= TELLING_ROWS]
    own = [row for row in told if row.model_name == resource.name]
    ratios = [_compare(row) for row in (own or told)[:REMEMBERED_RUNS]]
    return min(max(statistics.median(ratios), FASTEST), SLOWEST) if ratios else 1.0


def _compare(run: Any) -> float:
    columns = len(run.params.get("fields") or get_resource(run.model_name).fields)
    expected = estimate_pdf(run.record_count, columns)[1]
    return float((run.completed_at - run.started_at).total_seconds() / expected)
