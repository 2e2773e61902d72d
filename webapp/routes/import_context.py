"""What the page of one import shows, put together from the import, its jobs and its report."""

from collections.abc import Mapping
from typing import Any

from flask import request
from flask_login import current_user

from webapp.models import DataImport
from webapp.resources.base import Field
from webapp.resources.registry import get_resource
from webapp.resources.types import Problem
from webapp.routes.import_questions import find_date_columns, find_date_questions, list_references
from webapp.routes.jobs import measure_pace
from webapp.services import import_errors, import_fixes, import_profiles, import_undo, imports, queries
from webapp.services.import_result import get_result

ERROR_ROWS = 100
SHOWN_SAMPLES = 3
SUGGESTED_NAMES = 20


def build_context(found: DataImport, **changes: Any) -> dict[str, Any]:
    """Return the names that the page of an import expects; ``changes`` are what was just typed."""
    resource = get_resource(found.resource)
    fields = imports.mappable_fields(resource)
    job = imports.latest_job(found)
    dialect = found.dialect or {}
    columns = list(dialect.get("columns") or ())
    samples = collect_samples(found)
    report = found.report or {}
    # While a job runs, the page is asked for every second: nothing is counted then that it does not show.
    is_over = found.state in ("applying", "applied", "undone") and (job is None or job.is_final)
    context: dict[str, Any] = {
        "data_import": found,
        "resource": resource,
        "job": job,
        "pace": measure_pace(job),
        "dialect": dialect,
        "columns": columns,
        "samples": samples,
        "date_columns": find_date_columns(found, samples),
        "date_questions": find_date_questions(found, samples),
        "fields": fields,
        "mapping": found.mapping or {},
        "suggestions": report.get("suggestions") or {},
        "options": found.options or {},
        "check": (report.get("check") or {}) if found.state == "checked" else {},
        "result": get_result(found) if is_over else None,
        "kept": import_undo.list_kept(found) if found.state == "undone" else [],
        "same_file": imports.find_same_file(found) if found.state == "checked" else None,
        "profiles": import_profiles.list_profiles(current_user, resource.name),
        "problems": {},
        "parse_value": parse_value,
        "first_names": list_names,
        "can_edit": current_user.has_role("editor"),
        **(build_error_context(found) if is_over else {}),
        **changes,
    }
    context["references"] = list_references(found, fields, context["mapping"], context["options"])
    context["unused"] = list_unused(columns, context["mapping"])
    return context


def parse_value(field: Field, text: str) -> Any:
    """Return a value of the report, which is stored as a file would have it; None for what is no value."""
    try:
        return field.type.parse(text)
    except Problem:
        return None


def list_names(resource_name: str, text: str = "") -> list[str]:
    """Return the first records that a text finds, as others write them to point at one."""
    resource = get_resource(resource_name)
    field = resource.get_field(resource.reference_field)
    page = queries.list_records(resource, (field,), filters={"q": text}, limit=SUGGESTED_NAMES)
    return list(dict.fromkeys(getattr(row, field.name) for row in page.rows))


def collect_samples(found: DataImport) -> dict[str, list[str]]:
    """Return the first few different values of each column."""
    samples: dict[str, list[str]] = {}
    for _line, row in found.sample or ():
        for column, text in row.items():
            values = samples.setdefault(column, [])
            if text and text not in values and len(values) < SHOWN_SAMPLES:
                values.append(text)
    return samples


def list_unused(columns: list[str], mapping: Mapping[str, Any]) -> list[str]:
    """Return the columns that feed no field."""
    used = {rule.get("column") for rule in mapping.values() if rule}
    return [column for column in columns if column not in used]


def build_error_context(found: DataImport) -> dict[str, Any]:
    """Return one page of refused rows: the address says from where, and what they are narrowed to."""
    line, row_id = request.args.get("after_line", type=int), request.args.get("after_id", type=int)
    after = (line, row_id) if line is not None and row_id is not None else None
    filters = {name: request.args.get(name, "").strip() for name in ("reason", "column", "text")}
    rows = import_errors.list_row_errors(found, after=after, limit=ERROR_ROWS + 1, **filters)
    can_edit = current_user.has_role("editor")
    return {
        "data_import": found,
        "resource": get_resource(found.resource),
        "errors": rows[:ERROR_ROWS],
        "has_more_errors": len(rows) > ERROR_ROWS,
        "is_later_page": after is not None,
        "error_filters": {name: text for name, text in filters.items() if text},
        "error_groups": import_errors.group_row_errors(found),
        "can_edit": can_edit,
        "can_fix": can_edit and imports.is_applied(found),
        "fixed_count": import_fixes.count_fixed(found),
    }
