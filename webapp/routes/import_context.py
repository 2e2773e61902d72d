"""What the page of one import shows, put together from the import, its jobs and its report."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import flask_babel
from flask import request
from flask_login import current_user

from webapp.models import DataImport
from webapp.pipeline.dialect import Dialect
from webapp.resources.base import Field
from webapp.resources.registry import get_resource
from webapp.resources.types import DateTime, Problem, Reference, Style
from webapp.routes.jobs import measure_pace
from webapp.services import import_errors, import_fixes, import_profiles, import_undo, imports, queries
from webapp.services.import_result import get_result

ERROR_ROWS = 100
SHOWN_SAMPLES = 3
SUGGESTED_NAMES = 20
SHOWN_CREATED = 200
NEVER_CREATED = "products"  # a product needs more than a name
DATE_SHAPE = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d{2})\b.*")
DAY_FIRST, MONTH_FIRST = "dmy", "mdy"


@dataclass(frozen=True)
class DateQuestion:
    """A column in which nothing tells day from month: one of its values, read both ways."""

    column: str
    value: str
    readings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ValueChoice:
    """A word of the file for which no record was found, and what was chosen in its place."""

    text: str
    chosen: str = ""
    count: int | None = None
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class ReferenceChoices:
    """The words of one reference that have to be matched with records, or made into new ones."""

    field: Field
    values: tuple[ValueChoice, ...]
    can_create: bool
    is_created: bool


def build_context(found: DataImport, **changes: Any) -> dict[str, Any]:
    """Return the names that the page of an import expects; ``changes`` are what was just typed."""
    resource = get_resource(found.resource)
    fields = imports.mappable_fields(resource)
    job = imports.latest_job(found)
    dialect = found.dialect or {}
    columns = list(dialect.get("columns") or ())
    samples = collect_samples(found)
    report = found.report or {}
    is_over = found.state in ("applying", "applied", "undone")
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
        **(build_error_context(found) if is_over and (job is None or job.is_final) else {}),
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


def find_date_columns(found: DataImport, samples: Mapping[str, list[str]]) -> dict[str, str | None]:
    """Return the columns whose first values are dates with an order to decide, and the order of each."""
    dialect = Dialect.from_json(found.dialect or {})
    return {
        column: dialect.get_date_order(column)
        for column in dialect.columns
        if any(DATE_SHAPE.fullmatch(text) for text in samples.get(column, ()))
        or column in dialect.date_orders
        or column in _unsure_values(found)
    }


def find_date_questions(found: DataImport, samples: Mapping[str, list[str]]) -> list[DateQuestion]:
    """Return a question for each column of dates that can be read in two ways."""
    unsure = _unsure_values(found)
    questions = []
    for column, order in find_date_columns(found, samples).items():
        if order is not None:
            continue
        texts = [text for _line, row in found.sample or () if (text := row.get(column, ""))]
        texts = [*([unsure[column]] if column in unsure else []), *texts]
        readings = next(filter(None, map(_read_both_ways, texts)), None)
        if readings is not None:
            questions.append(DateQuestion(column, *readings))
    return questions


def _unsure_values(found: DataImport) -> dict[str, str]:
    """Return the dates that the reader's notices name as an example, by column."""
    params = [notice.get("params") or {} for notice in (found.dialect or {}).get("notices") or ()]
    return {
        item["column"]: item["value"]
        for item in params
        if "column" in item and DATE_SHAPE.fullmatch(str(item.get("value", "")))
    }


def _read_both_ways(text: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Return a date with its two readings in words; None when they are the same or one does not exist."""
    try:
        moments = [DateTime().parse(text, Style(date_order=order)) for order in (DAY_FIRST, MONTH_FIRST)]
    except Problem:
        return None
    if moments[0] == moments[1]:
        return None
    words = [flask_babel.format_date(moment.date(), "long") for moment in moments]
    return text, ((DAY_FIRST, words[0]), (MONTH_FIRST, words[1]))


def list_references(
    found: DataImport, fields: tuple[Field, ...], mapping: Mapping[str, Any], options: Mapping[str, Any]
) -> list[ReferenceChoices]:
    """Return the references with words that the check did not find, or that were matched before."""
    check = (found.report or {}).get("check") or {}
    unknown = check.get("unknown_values") or {}
    choices = []
    for field in fields:
        if not isinstance(field.type, Reference):
            continue
        chosen = dict((mapping.get(field.name) or {}).get("values") or {})
        values = [
            ValueChoice(item["value"], chosen.pop(item["value"], ""), item["count"], tuple(item["lines"]))
            for item in unknown.get(field.name) or ()
        ]
        created = [
            name for name in (check.get("will_create") or {}).get(field.name) or () if name not in chosen
        ]
        values += [ValueChoice(text, name) for text, name in chosen.items()]
        values += [ValueChoice(name) for name in created[:SHOWN_CREATED]]
        is_created = field.name in (options.get("create_missing") or ())
        if values or is_created:
            can_create = field.type.resource != NEVER_CREATED
            choices.append(ReferenceChoices(field, tuple(values), can_create, is_created))
    return choices


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
