"""The audit: every change of every record, and deeds on jobs and people, newest first.

Changes are only ever added. Lists go by keyset on the id. A filter that no index answers looks through
the next 50,000 changes and says where it stopped, so a page costs the same among millions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from webapp.extensions import db
from webapp.models import Change, User
from webapp.resources.registry import RESOURCES
from webapp.resources.types import fold_key
from webapp.services.accounts import require_role
from webapp.services.audit_entries import AuditEntry, build_entries
from webapp.services.change_origin import select_changes

LOOKED_AT = 50_000  # changes that one page looks through where no index leads the way
CLOCK_SKEW = timedelta(minutes=1)  # between the processes that stamp changes
ACTIONS = ("created", "updated", "deleted")
OTHER_KINDS = ("jobs", "schedules", "users")  # what is audited beside records
SYSTEM = 0  # as a person: nobody, the system did it
COLUMNS = (Change.id, Change.resource, Change.record_id, Change.action, Change.before, Change.after)


@dataclass(frozen=True)
class ChangeFilter:
    """What narrows the audit. ``record_ids`` belong to ``resource``; times are ``since <= at < until``."""

    resource: str | None = None
    record_ids: tuple[int, ...] | None = None
    user_id: int | None = None
    source: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class ChangePage:
    """Some changes, newest first, and where the older ones begin.

    ``is_bounded``: not all were looked through; the next page goes on from there.
    """

    rows: Sequence[AuditEntry]
    next_cursor: int | None
    is_bounded: bool = False


def list_changes(
    reader: User, wanted: ChangeFilter, cursor: int | None = None, limit: int = 50
) -> ChangePage:
    """Return a page of everybody's changes, newest first, from below ``cursor``."""
    require_role(reader, "admin")
    return _list_page(reader, wanted, cursor, limit)


def list_history(
    reader: User, resource_name: str, record_id: int, cursor: int | None = None, limit: int = 50
) -> ChangePage:
    """Return a page of one record's changes: whoever may read the record may read what became of it."""
    require_role(reader, "viewer")
    return _list_page(reader, ChangeFilter(resource_name, (record_id,)), cursor, limit)


def _list_page(reader: User, wanted: ChangeFilter, cursor: int | None, limit: int) -> ChangePage:
    top, floor, is_bounded = find_range(wanted, cursor)
    query = select_range(wanted, top, floor).order_by(Change.id.desc()).limit(limit + 1)
    found = db.session.execute(query).all()
    rows = build_entries(reader, found[:limit])
    if len(found) > limit:
        return ChangePage(rows, found[limit - 1].id)
    return ChangePage(rows, floor if is_bounded else None, is_bounded)


def select_range(wanted: ChangeFilter, top: int, floor: int) -> Select[Any]:
    """Return the query of the changes of a filter with ``floor <= id < top``."""
    return select_changes(*COLUMNS).where(Change.id < top, Change.id >= floor, *_where(wanted))


def find_range(wanted: ChangeFilter, cursor: int | None) -> tuple[int, int, bool]:
    """Return between which ids to look, and whether there may be more below."""
    top = (db.session.scalar(select(func.max(Change.id))) or 0) + 1
    floor = 1
    if wanted.until:
        top = min(top, _first_id_from(wanted.until + CLOCK_SKEW) or top)
    if wanted.since:
        floor = _first_id_from(wanted.since - CLOCK_SKEW) or top
    if cursor is not None:
        top = min(top, cursor)
    if is_indexed(wanted) or top - floor <= LOOKED_AT:
        return top, floor, False
    return top, top - LOOKED_AT, True


def is_indexed(wanted: ChangeFilter) -> bool:
    """Whether an index leads to the changes of a filter in the order of the list, however few they are."""
    if wanted.record_ids is not None:
        return True
    return replace(wanted, since=None, until=None) == ChangeFilter()


def _first_id_from(moment: datetime) -> int | None:
    """Return the first id of a moment or later: ids rise with time, so a window of time is one of ids."""
    query = select(Change.id).where(Change.at >= moment).order_by(Change.at, Change.id)
    return db.session.scalar(query.limit(1))


def _where(wanted: ChangeFilter) -> list[ColumnElement[bool]]:
    equal = {
        Change.resource: wanted.resource,
        Change.source: wanted.source,
        Change.action: wanted.action,
    }
    conditions: list[ColumnElement[bool]] = [
        column == value for column, value in equal.items() if value is not None
    ]
    if wanted.record_ids is not None:
        conditions.append(Change.record_id.in_(wanted.record_ids))
    if wanted.user_id is not None:
        conditions.append(
            Change.actor_id.is_(None) if wanted.user_id == SYSTEM else Change.actor_id == wanted.user_id
        )
    if wanted.since:
        conditions.append(Change.at >= wanted.since)
    if wanted.until:
        conditions.append(Change.at < wanted.until)
    return conditions


def find_record_ids(resource_name: str, text: str) -> tuple[int, ...]:
    """Return the records that a person means: by their key, or by their number as ``#12``."""
    number = text.removeprefix("#")
    if text.startswith("#") and number.isdecimal() and len(number) < 19:
        return (int(number),)
    resource = RESOURCES.get(resource_name)
    if resource is None:
        return ()
    key = getattr(resource.model, f"{resource.reference_field}_key")
    found = db.session.scalars(select(resource.model.id).where(key == fold_key(text)).limit(100))
    return tuple(found)


def list_people(reader: User) -> list[tuple[int, str]]:
    """Return everybody who may have changed something, by id."""
    require_role(reader, "admin")
    people = db.session.execute(select(User.id, User.email).order_by(User.email_key))
    return [(row.id, row.email) for row in people]
