"""Changes in words that people know: fields by their labels, values in their types, records by their names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import literal, select, union_all

from webapp.extensions import db
from webapp.models import User
from webapp.resources.base import Field, Resource
from webapp.resources.registry import RESOURCES, get_resource
from webapp.services.change_origin import Origin, RecordId, build_origin
from webapp.services.record_restore import read_value
from webapp.services.record_shape import get_table

Names = Mapping[RecordId, str]
DETAILS_THAT_NAME = ("email", "name", "task_id")  # of users, schedules and jobs


@dataclass(frozen=True)
class Edit:
    """One field before and after. Without a ``field`` it is no field of a record: a deed's detail."""

    name: str
    field: Field | None
    before: Any
    after: Any


@dataclass(frozen=True)
class AuditEntry:
    """One change of one record; ``title`` is what the record is called, ``exists`` whether it is still there."""

    id: int
    resource: str
    record_id: int
    title: str
    exists: bool
    action: str
    edits: Sequence[Edit]
    origin: Origin


def build_entries(reader: User, rows: Sequence[Any]) -> list[AuditEntry]:
    """Return the entries of rows of changes; the names of all records that they mention in one query."""
    names = find_names(rows)
    return [_build_entry(reader, row, names) for row in rows]


def _build_entry(reader: User, row: Any, names: Names) -> AuditEntry:
    record = (row.resource, row.record_id)
    return AuditEntry(
        id=row.id,
        resource=row.resource,
        record_id=row.record_id,
        title=names.get(record) or _old_title(row) or f"#{row.record_id}",
        exists=record in names,
        action=row.action,
        edits=build_edits(row.resource, row.before or {}, row.after or {}, names),
        origin=build_origin(row, reader),
    )


def _old_title(row: Any) -> str | None:
    """Return what this change itself calls its record: one that is gone, or none of a registered kind."""
    resource = RESOURCES.get(row.resource)
    told = (row.before or {}) | (row.after or {})
    fields = [resource.title_field] if resource else DETAILS_THAT_NAME
    return next((str(told[name]) for name in fields if told.get(name)), None)


def build_edits(
    resource_name: str, before: Mapping[str, Any], after: Mapping[str, Any], names: Names
) -> list[Edit]:
    """Return what a change did to each field, in the order of the fields."""
    changed = list(dict.fromkeys([*before, *after]))
    resource = RESOURCES.get(resource_name)
    if resource is None:
        edits = [Edit(name, None, before.get(name), after.get(name)) for name in changed]
        return [edit for edit in edits if edit.before != edit.after]
    fields = {field.column: field for field in resource.writable_fields}
    known = [name for name in fields if name in changed]
    return [
        Edit(
            name,
            fields.get(name),
            _read(resource, fields.get(name), before.get(name), names),
            _read(resource, fields.get(name), after.get(name), names),
        )
        for name in [*known, *(name for name in changed if name not in fields)]
    ]


def _read(resource: Resource, field: Field | None, value: Any, names: Names) -> Any:
    if field is None or value is None:
        return value
    if field.is_reference:
        return names.get((_target(field), value), f"#{value}")
    return read_value(get_table(resource).c[field.column], value)


def _target(field: Field) -> str:
    return str(field.type.resource)  # type: ignore[attr-defined]  # it is a reference


def find_names(rows: Sequence[Any]) -> dict[RecordId, str]:
    """Return the names of the records that changes are of or mention, as far as they still exist."""
    wanted: dict[str, set[int]] = {}
    for row in rows:
        resource = RESOURCES.get(row.resource)
        if resource is None:
            continue
        wanted.setdefault(row.resource, set()).add(row.record_id)
        for field in resource.writable_fields:
            if not field.is_reference:
                continue
            for values in (row.before or {}, row.after or {}):
                if values.get(field.column) is not None:
                    wanted.setdefault(_target(field), set()).add(values[field.column])
    if not wanted:
        return {}
    parts = [_select_names(get_resource(name), ids) for name, ids in sorted(wanted.items())]
    return {(row[0], row[1]): row[2] for row in db.session.execute(union_all(*parts))}


def _select_names(resource: Resource, ids: set[int]) -> Any:
    model = resource.model
    title = getattr(model, resource.title_field)
    return select(literal(resource.name), model.id, title).where(model.id.in_(sorted(ids)))
