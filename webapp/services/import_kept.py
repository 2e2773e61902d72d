"""The records that taking an import back leaves as they are, each with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.orm import Session

from webapp.models import ImportKept
from webapp.resources.registry import get_resource
from webapp.resources.types import Problem

Record = tuple[str, int]  # the name of its resource, and its id


@dataclass(frozen=True)
class Taken:
    """What became of one change on its way back: removed, restored, or kept for a reason."""

    change: Any
    action: str
    problem: Problem | None = None


def find_kept(session: Session, import_id: int, changes: Sequence[Row[Any]]) -> set[Record]:
    """Return which records of some changes are kept already."""
    query = select(ImportKept.resource, ImportKept.record_id).where(
        ImportKept.data_import_id == import_id,
        ImportKept.record_id.in_({change.record_id for change in changes}),
    )
    return {(row.resource, row.record_id) for row in session.execute(query)}


def keep(session: Session, import_id: int, items: Sequence[Taken]) -> None:
    """List what stays, by what it is called now."""
    names = name_records(session, items)
    rows = [
        {
            "data_import_id": import_id,
            "resource": item.change.resource,
            "record_id": item.change.record_id,
            "line": item.change.line,
            "key": names.get((item.change.resource, item.change.record_id), ""),
            "message": item.problem.message,
            "params": item.problem.params,
        }
        for item in items
        if item.problem is not None
    ]
    if rows:
        session.execute(insert(ImportKept.__table__), rows)  # type: ignore[arg-type]  # a Table


def name_records(session: Session, items: Sequence[Taken]) -> dict[Record, str]:
    """Return what records are called now; one that is gone, what it was called when it was changed."""
    names: dict[Record, str] = {}
    for name in {item.change.resource for item in items}:
        resource = get_resource(name)
        key = getattr(resource.model, resource.reference_field)
        own = [item.change for item in items if item.change.resource == name]
        for change in own:
            values = {**(change.before or {}), **(change.after or {})}
            names[name, change.record_id] = str(values.get(resource.reference_field) or "")
        query = select(resource.model.id, key).where(resource.model.id.in_([one.record_id for one in own]))
        names |= {(name, row[0]): row[1] for row in session.execute(query)}
    return names


def count_kept(session: Session, import_id: int | None) -> int:
    """Return how many records taking an import back has left as they are."""
    query = select(func.count()).select_from(ImportKept).where(ImportKept.data_import_id == import_id)
    return session.scalar(query) or 0


def forget_kept(session: Session, import_id: int | None) -> None:
    """Begin a new list of what is kept."""
    session.execute(delete(ImportKept).where(ImportKept.data_import_id == import_id))
