"""The lists of records and one record, for every resource alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.errors import Invalid, NotFound, Problem
from webapp.extensions import settings
from webapp.forms import offered_formats
from webapp.htmx import go_to, render_page
from webapp.pipeline.pdf_estimate import estimate_pdf
from webapp.resources.base import Field, Resource
from webapp.resources.registry import RESOURCES, get_resource
from webapp.resources.types import Choice, Phrase, Reference
from webapp.routes.converters import add_converters
from webapp.services import imports, queries

PAGE_ROWS = 50
LAST_MOVEMENTS = 8
QUICK_SECONDS = 15  # expected of a PDF; a machine four times as slow still keeps "less than a minute"
NAMED_FILTERS = ("q", "low_stock")

blueprint = Blueprint("records", __name__)
blueprint.record_once(add_converters)


@dataclass(frozen=True)
class ActiveFilter:
    """One condition of a list in words, and the address of the list without it."""

    name: str
    label: Phrase
    value: str
    url_without: str


@dataclass(frozen=True)
class RelatedList:
    """Records of another kind that point at a record, as a filtered list."""

    resource: Resource
    filters: dict[str, str]
    page: queries.RecordPage


@blueprint.get("/<resource:resource>/")
def list_records(resource: Resource) -> ResponseReturnValue:
    """List records: searched, filtered, sorted and paged by the address alone."""
    filters = read_filters(resource)
    sort, cursor = request.args.get("sort", ""), request.args.get("cursor", "")
    problems: dict[str, Problem] = {}
    try:
        page = _list(resource, filters, sort, cursor)
    except Invalid as error:  # a filter that cannot be read is said, and the list shown without it
        problems = error.problems
        filters = {name: text for name, text in filters.items() if name not in problems}
        page = _list(resource, filters, sort, cursor)
    field, downwards = queries.find_order(resource, sort, filters)
    return render_page(
        "records/list.html",
        "records/_table.html",
        resource=resource,
        fields=resource.list_fields,
        page=page,
        filters=filters,
        active_filters=list(_describe(resource, filters)),
        problems=problems,
        sort=sort,
        sorted_by=field.name if field else "",
        is_downwards=downwards,
        choices=[field for field in resource.fields if isinstance(field.type, Choice)],
        formats=offered_formats(),
    )


def _list(resource: Resource, filters: dict[str, str], sort: str, cursor: str) -> queries.RecordPage:
    return queries.list_records(
        resource, resource.list_fields, filters=filters, sort=sort, cursor=cursor, limit=PAGE_ROWS
    )


def read_filters(resource: Resource) -> dict[str, str]:
    """Return what the address asks a list to be narrowed to; other arguments are not filters."""
    known = queries.list_filter_names(resource)
    return {name: text.strip() for name, text in request.args.items() if name in known and text.strip()}


def _describe(resource: Resource, filters: dict[str, str]) -> Iterator[ActiveFilter]:
    """Yield the conditions that the toolbar has no control for."""
    choices = {field.name for field in resource.fields if isinstance(field.type, Choice)}
    for name, value in filters.items():
        if name in NAMED_FILTERS or name in choices:
            continue
        rest = {key: text for key, text in request.args.items() if key not in {name, "cursor"}}
        url = url_for("records.list_records", resource=resource, **rest)  # type: ignore[arg-type]
        yield ActiveFilter(name, queries.label_filter(resource, name), value, url)


@blueprint.get("/<resource:resource>/find")
def find_record(resource: Resource) -> ResponseReturnValue:
    """Go to the record with this key: lists know the keys of other records, not their ids."""
    filters = read_filters(resource)
    page = queries.list_records(resource, (), filters=filters, limit=2)
    if len(page.rows) == 1:
        return go_to(url_for("records.show_record", resource=resource, record_id=page.rows[0].id))
    return go_to(url_for("records.list_records", resource=resource, **filters))  # type: ignore[arg-type]


@blueprint.get("/<resource:resource>/<int:record_id>")
def show_record(resource: Resource, record_id: int) -> ResponseReturnValue:
    """Show one record with what hangs on it."""
    record = queries.get_record(resource, record_id)
    if record is None:
        abort(404)
    values = record._mapping  # noqa: SLF001 - public in fact: a row's mapping by name
    last_import = imports.find_last_import(resource.name, record_id)
    return render_template(
        "records/show.html",
        resource=resource,
        record=record,
        values=values,
        related=list(_find_related(resource, values)),
        last_import=last_import,
        can_open_import=last_import is not None and _can_open(last_import.public_id),
    )


def _can_open(public_id: str) -> bool:
    """Whether the reader may see an import: others' are named, not linked."""
    try:
        imports.get_import(current_user, public_id)
    except NotFound:
        return False
    return True


def _find_related(resource: Resource, values: Any) -> Iterator[RelatedList]:
    for other in RESOURCES.values():
        for field in other.fields:
            if isinstance(field.type, Reference) and field.type.resource == resource.name:
                filters = _filters_for(resource, field, values)
                yield RelatedList(
                    other,
                    filters,
                    queries.list_records(other, other.list_fields, filters=filters, limit=LAST_MOVEMENTS),
                )


def _filters_for(resource: Resource, field: Field, values: Any) -> dict[str, str]:
    """Return the filter of another resource's list that finds what points at this record."""
    filters = {field.name: str(values[resource.reference_field])}
    scope = field.type.scope if isinstance(field.type, Reference) else ""
    if scope:
        filters[scope] = str(values[scope])
    return filters


@blueprint.app_template_global()
def reference_url(field: Field, values: Any) -> str:
    """Return the address that leads to the record which a row's reference points at."""
    if not isinstance(field.type, Reference):
        raise TypeError(field.name)
    target = get_resource(field.type.resource)
    filters = {target.reference_field: values[field.name]}
    if field.type.scope and values.get(field.type.scope):
        filters[field.type.scope] = values[field.type.scope]
    return url_for("records.find_record", resource=target, **filters)


@blueprint.app_template_global()
def pdf_pages(resource: Resource, page: queries.RecordPage) -> int:
    """Return how many pages a PDF of a whole list would have, roughly."""
    return estimate_pdf(page.count, len(resource.fields))[0]


@blueprint.app_template_global()
def is_short_pdf(resource: Resource, page: queries.RecordPage) -> bool:
    """Whether a PDF of a whole list is small enough to be asked for without a look at the details."""
    is_quick = estimate_pdf(page.count, len(resource.fields))[1] <= QUICK_SECONDS
    return page.is_count_exact and is_quick and page.count <= settings().pdf_max_rows


@blueprint.app_template_global()
def sort_url(resource: Resource, field: Field, *, sorted_by: str, is_downwards: bool) -> str:
    """Return the address of the same list ordered by this column, turned round when it is already."""
    sort = f"-{field.name}" if field.name == sorted_by and not is_downwards else field.name
    rest = {name: text for name, text in request.args.items() if name not in {"sort", "cursor"}}
    return url_for("records.list_records", resource=resource, sort=sort, **rest)  # type: ignore[arg-type]


@blueprint.app_template_global()
def page_url(resource: Resource, cursor: str) -> str:
    """Return the address of a neighbouring page of the same list."""
    rest = {name: text for name, text in request.args.items() if name != "cursor"}
    return url_for("records.list_records", resource=resource, cursor=cursor, **rest)  # type: ignore[arg-type]
