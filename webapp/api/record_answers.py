"""Records as answers: one with the tag of its version, or a page of a list with the way to the next one."""

from typing import Any

from flask import request, url_for

from webapp.api.record_schemas import STAMPS
from webapp.errors import Invalid
from webapp.resources.base import N_, Resource
from webapp.resources.types import Problem
from webapp.services import queries
from webapp.services.record_cursor import read_cursor
from webapp.services.record_editing import get_values

RECORD = "/{}/<int:record_id>"  # the address of one record of a kind
ETAG: dict[str, Any] = {
    "ETag": {
        "required": True,
        "schema": {"type": "string"},
        "description": "The version, quoted: for If-Match.",
    }
}

Answer = tuple[dict[str, Any], int, dict[str, str]]


def answer_record(resource: Resource, record_id: int, status: int = 200) -> Answer:
    """Return a record as it is now, with the tag of its version."""
    values = dict(get_values(resource, record_id))
    return values, status, {"ETag": f'"{values["version"]}"'}


def answer_page(resource: Resource, query: dict[str, Any]) -> dict[str, Any]:
    """Return one page of records as the address asks for it."""
    chosen = query.get("fields") or [item.name for item in resource.fields]
    sort, cursor = query.get("sort", ""), query.get("cursor", "")
    filters = _read_filters(resource, query)
    _check_cursor(resource, cursor, sort, filters)
    page = queries.list_records(
        resource,
        [item for item in resource.fields if item.name in chosen],
        filters=filters,
        sort=sort,
        cursor=cursor,
        limit=query["limit"],
        with_stamps=True,
    )
    wanted = {"id", *(query.get("fields") or (*chosen, *STAMPS))}
    following: dict[str, Any] = request.args.to_dict() | {"cursor": page.next_cursor}
    return {
        "items": [_choose(row, wanted) for row in page.rows],
        "next": url_for(".list_records", **following) if page.next_cursor else None,
        "count": page.count,
        "is_count_exact": page.is_count_exact,
    }


def _read_filters(resource: Resource, query: dict[str, Any]) -> dict[str, str]:
    names = queries.list_filter_names(resource)
    texts = {name: str(query[name]).strip() for name in names if query.get(name) not in (None, False)}
    return {name: text for name, text in texts.items() if text}


def _check_cursor(resource: Resource, cursor: str, sort: str, filters: dict[str, str]) -> None:
    """Refuse what leads nowhere: a list that began anew would never end."""
    field, _downwards = queries.find_order(resource, sort, filters)
    if cursor and read_cursor(cursor, field)[1] is None:
        problem = Problem(N_("This is no place in this list."), N_("Take the address in “next” as it is."))
        raise Invalid({"cursor": problem})


def _choose(row: Any, wanted: set[str]) -> dict[str, Any]:
    values = row._mapping  # noqa: SLF001 - public in fact: a row's mapping by name
    return {name: value for name, value in values.items() if name in wanted}
