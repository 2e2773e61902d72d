"""The lists of records, for every resource alike. What else can be seen of one is in ``record_show``."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from webapp.errors import Invalid, Problem
from webapp.extensions import settings
from webapp.forms import offered_formats
from webapp.htmx import go_to, render_page
from webapp.pipeline.pdf_estimate import estimate_pdf
from webapp.resources.base import Field, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import Choice, Phrase, Reference
from webapp.routes.converters import add_converters
from webapp.services import queries

PAGE_ROWS = 50
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
    field, downwards = queries.parse_sort(resource, sort)
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
        sorted_by=field.name,
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
