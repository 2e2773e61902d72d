"""The lists of records, for every resource alike. What else can be seen of one is in ``record_show``."""

from flask import Blueprint, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from webapp.errors import Invalid, Problem
from webapp.extensions import settings
from webapp.forms import offered_formats
from webapp.htmx import go_to, render_page
from webapp.pipeline.pdf_estimate import estimate_pdf
from webapp.resources.base import Field, Resource
from webapp.routes.converters import add_converters
from webapp.routes.list_filters import (
    describe_filters,
    find_plain_url,
    list_choices,
    list_controls,
    list_url,
    read_filters,
    show_values,
)
from webapp.routes.list_rows import list_columns, list_rows, reference_url
from webapp.routes.list_view import PAGE_SIZES, ListView, read_view, remember_view
from webapp.routes.record_controls import decimal_sign
from webapp.services import queries

QUICK_SECONDS = 15  # expected of a PDF; a machine four times as slow still keeps "less than a minute"

blueprint = Blueprint("records", __name__)
blueprint.record_once(add_converters)


@blueprint.get("/<resource:resource>/")
def list_records(resource: Resource) -> ResponseReturnValue:
    """List records: searched, filtered, sorted and paged by the address alone."""
    if plain_url := find_plain_url(resource):
        return redirect(plain_url, code=303)
    asked, view = read_filters(resource), read_view(resource)
    filters = asked
    problems: dict[str, Problem] = {}
    try:
        page = _list(resource, filters, view)
    except Invalid as error:  # a filter that cannot be read is said, and the list shown without it
        problems = error.problems
        filters = {name: text for name, text in filters.items() if name not in problems}
        page = _list(resource, filters, view)
    sort = request.args.get("sort", "")
    field, downwards = queries.find_order(resource, sort, filters)
    columns = list_columns(resource, view.fields)
    rendered = render_page(
        "records/list.html",
        "records/_table.html",
        resource=resource,
        columns=columns,
        rows=list(list_rows(resource, columns, page.rows)),
        view=view,
        page_sizes=PAGE_SIZES,
        page=page,
        filters=filters,
        typed=show_values(resource, asked),
        decimal=decimal_sign(),
        active_filters=list(describe_filters(resource, filters)),
        problems=problems,
        sort=sort,
        sorted_by=field.name if field else "",
        is_downwards=downwards,
        choices=list_choices(resource),
        controls=list_controls(resource),
        formats=offered_formats(),
    )
    return remember_view(make_response(rendered), resource, view)


def _list(resource: Resource, filters: dict[str, str], view: ListView) -> queries.RecordPage:
    return queries.list_records(
        resource,
        view.fields,
        filters=filters,
        sort=request.args.get("sort", ""),
        cursor=request.args.get("cursor", ""),
        limit=view.rows,
        estimate=True,
        with_titles=True,
    )


@blueprint.get("/<resource:resource>/find")
def find_record(resource: Resource) -> ResponseReturnValue:
    """Go to the record with this key: lists know the keys of other records, not their ids."""
    filters = read_filters(resource)
    page = queries.list_records(resource, (), filters=filters, limit=2)
    if len(page.rows) == 1:
        return go_to(url_for("records.show_record", resource=resource, record_id=page.rows[0].id))
    return go_to(url_for("records.list_records", resource=resource, **filters))  # type: ignore[arg-type]


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
    return list_url(resource, without=("cursor",), sort=sort)


blueprint.add_app_template_global(list_url)
blueprint.add_app_template_global(reference_url)


@blueprint.app_template_global()
def page_url(resource: Resource, cursor: str) -> str:
    """Return the address of a neighbouring page of the same list."""
    return list_url(resource, cursor=cursor)
