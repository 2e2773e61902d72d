"""Lists of any resource: searched, filtered, sorted and paged; and one record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, asc, desc

from webapp.extensions import db
from webapp.resources.base import Field, Resource
from webapp.services.record_counts import COUNT_LIMIT, count_records, estimate_records, find_ids
from webapp.services.record_cursor import read_cursor, write_cursor
from webapp.services.record_filters import find_bounded, label_filter, list_filter_names, where_filters
from webapp.services.record_lead import find_lead
from webapp.services.record_order import sort_few, walk_many
from webapp.services.record_query import RecordQuery
from webapp.services.record_search import BEST, find_best, split_words, where_search

__all__ = [
    "COUNT_LIMIT",
    "RecordPage",
    "RecordQuery",
    "find_bounded",
    "find_order",
    "get_record",
    "label_filter",
    "list_filter_names",
    "list_records",
    "parse_sort",
    "where_filters",
    "where_search",
    "write_cursor",
]

LARGEST_ID = 2**63 - 1  # beyond it a database does not even look


def parse_sort(resource: Resource, sort: str) -> tuple[Field, bool]:
    """Return the field to sort by and whether downwards; the resource's own order for what is not sortable."""
    for wanted in (sort, resource.order_by[0]):
        name = wanted.removeprefix("-")
        field = next((field for field in resource.fields if field.name == name and field.sortable), None)
        if field is not None:
            return field, wanted.startswith("-")
    raise LookupError(resource.order_by[0])


def find_order(resource: Resource, sort: str, filters: Mapping[str, str]) -> tuple[Field | None, bool]:
    """Return the field to sort by, None for the best matches of a search first, and whether downwards."""
    is_search = bool(split_words(filters.get("q", "")))
    known = [field.name for field in resource.fields if field.sortable]
    if is_search and sort.removeprefix("-") not in known:
        return None, False
    return parse_sort(resource, sort)


@dataclass(frozen=True)
class RecordPage:
    """One page of a list: rows with ``id`` and a value a field, and the cursors of its neighbours.

    ``count`` is how many there are; where ``is_count_exact`` is false, so many at least, or about so many
    where an estimate was asked for. Of a search's matches only the ``best`` are in the list.
    """

    rows: Sequence[Any]
    next_cursor: str | None
    previous_cursor: str | None
    count: int
    is_count_exact: bool
    best: int | None = None


def list_records(
    resource: Resource,
    fields: Sequence[Field],
    *,
    filters: dict[str, str] | None = None,
    sort: str = "",
    cursor: str = "",
    limit: int = 50,
    estimate: bool = False,
    with_stamps: bool = False,
    with_titles: bool = False,
) -> RecordPage:
    """Return one page by keyset: a page deep in a million rows costs what the first one does.

    ``cursor`` is one that an earlier page gave; one that cannot be read means the first page. ``estimate``
    asks for an estimate where there are too many to count, ``with_stamps`` for each row's version and times,
    ``with_titles`` for what the records that it refers to are called.
    """
    chosen = dict(filters or {})
    field, downwards = find_order(resource, sort, chosen)
    backwards, position = read_cursor(cursor, field)
    text = chosen.pop("q", "")
    text = text if split_words(text) else ""
    found = _find(resource, chosen, text)
    ascending = downwards == backwards
    if found.ids is None and field is not None:
        conditions = where_filters(resource, RecordQuery(resource, walks_down=field), chosen)
        ordered = walk_many(resource, field, conditions, position, ascending=ascending, limit=limit + 1)
    else:
        ids = found.ids or ()
        ordered = sort_few(resource, field, text, ids, position, ascending=ascending, limit=limit + 1)
    stamps = _list_stamps(resource) if with_stamps else ()
    select = RecordQuery(resource).select(fields, with_titles=with_titles).add_columns(*stamps)
    rows = _read_rows(resource, select, ordered.subquery("page"), ascending=ascending)
    more = len(rows) > limit
    rows = rows[:limit][::-1] if backwards else rows[:limit]
    count = found.count
    if estimate and not found.is_exact and not text:
        own = RecordQuery(resource, walks_down=resource.get_field(resource.key[0]))  # the sample is by id
        count = estimate_records(resource.model, where_filters(resource, own, chosen))
    has_before = more if backwards else position is not None
    return RecordPage(
        rows=rows,
        next_cursor=_point_at("n", rows[-1]) if rows and (more or backwards) else None,
        previous_cursor=_point_at("p", rows[0]) if rows and has_before else None,
        count=count,
        is_count_exact=found.is_exact,
        best=BEST if text and count > BEST else None,
    )


@dataclass(frozen=True)
class _Found:
    """What a list is made of: these records, or with None so many that they are better not named one by one."""

    ids: Sequence[int] | None
    count: int
    is_exact: bool


def _find(resource: Resource, filters: dict[str, str], text: str) -> _Found:
    conditions = where_filters(resource, RecordQuery(resource, may_join=True), filters)
    if not conditions and not text:
        return _Found(None, *count_records(resource.model, conditions))
    if lead := find_lead(resource, filters):
        conditions = where_filters(resource, RecordQuery(resource, walks_down=lead), filters)
    few = find_ids(resource.model, conditions) if conditions else None
    if text:
        # The search is the index to begin at, and not a note beside the records.
        others = where_filters(resource, RecordQuery(resource), filters)
        best = find_best(resource, text, others, few)
        return _Found(best.ids, best.count, best.is_count_exact)
    return _Found(None, COUNT_LIMIT, is_exact=False) if few is None else _Found(few, len(few), is_exact=True)


def _list_stamps(resource: Resource) -> Sequence[Any]:
    """Return the columns of what every record has beside its fields."""
    model = resource.model
    return model.created_at, model.updated_at, model.version


def _read_rows(resource: Resource, select: Select[Any], page: Any, *, ascending: bool) -> list[Any]:
    direction = asc if ascending else desc
    statement = select.add_columns(page.c.place).join(page, page.c.id == resource.model.id)
    return list(db.session.execute(statement.order_by(direction(page.c.place), direction(page.c.id))).all())


def _point_at(direction: str, row: Any) -> str:
    return write_cursor(direction, row._mapping["place"], row.id)  # noqa: SLF001 - public in fact


def get_record(resource: Resource, record_id: int) -> Any | None:
    """Return one record's row with a value a field, its times and its version, or None."""
    if record_id > LARGEST_ID:
        return None
    query = RecordQuery(resource).select(resource.fields, with_titles=True)
    statement = query.add_columns(*_list_stamps(resource))
    return db.session.execute(statement.where(resource.model.id == record_id)).one_or_none()
