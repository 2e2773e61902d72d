"""A resource as the saving of records needs it: worked out once, because it is asked for every row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Table

from webapp.resources.base import Field, Resource
from webapp.resources.derived import Derivation, get_derivation
from webapp.resources.types import fold_keys
from webapp.services.stock import DIRECTIONS

Key = tuple[Any, ...]
Held = tuple[Any, ...]  # a record as the database has it: its id and the values of the declared columns


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A resource's table, and its fields by what is done with them.

    ``beside`` are the fields that a row may give and that no column has. ``key`` holds each part's column
    in a row's values and whether its text is folded; ``key_columns`` are where the table keeps those
    parts. ``emptied`` tells what becomes of a column that is cleared; one that is not in it cannot be empty.
    """

    resource: Resource
    table: Table
    columns: tuple[str, ...]
    beside: tuple[str, ...]
    required: tuple[tuple[Field, str], ...]
    references: tuple[Field, ...]
    key: tuple[tuple[str, bool], ...]
    key_columns: tuple[str, ...]
    emptied: dict[str, Any]
    derivation: Derivation
    is_movement: bool

    @property
    def held_columns(self) -> tuple[str, ...]:
        """The columns of a record as it is held."""
        return "id", *self.columns

    def hold(self, record_id: int, values: Mapping[str, Any]) -> Held:
        """Return a record with these values as it is held."""
        return record_id, *map(values.__getitem__, self.columns)

    def key_of(self, values: Mapping[str, Any]) -> Key | None:
        """Return the key of a row whose references are resolved, or None when a part of it is missing."""
        return self.keys_of([values])[0]

    def keys_of(self, rows: Sequence[Mapping[str, Any]]) -> list[Key | None]:
        """Return the keys of many rows."""
        parts: list[list[Any]] = []
        for column, is_text in self.key:
            given = [row.get(column) or "" for row in rows]
            parts.append(fold_keys(given) if is_text else given)
        return [key if all(key) else None for key in zip(*parts, strict=True)]


def get_table(resource: Resource) -> Table:
    """Return the table of a resource's model."""
    table: Table = resource.model.__table__
    return table


@lru_cache
def get_shape(resource: Resource) -> Shape:
    """Return the shape of a resource."""
    table = get_table(resource)
    fields = resource.writable_fields
    columns = tuple(item.column for item in fields)
    key = tuple((part.column, not part.is_reference) for part in map(resource.get_field, resource.key))
    return Shape(
        resource=resource,
        table=table,
        columns=columns,
        beside=tuple(item.name for item in resource.fields if item.name not in columns),
        required=tuple((item, item.column) for item in fields if item.required),
        references=tuple(item for item in fields if item.is_reference),
        key=key,
        key_columns=tuple(f"{column}_key" if is_text else column for column, is_text in key),
        emptied={
            item.column: _when_empty(table, item.column) for item in fields if _may_be_empty(table, item)
        },
        derivation=get_derivation(resource),
        is_movement=resource.name in DIRECTIONS,
    )


def _may_be_empty(table: Table, field: Field) -> bool:
    return not field.required and (table.c[field.column].nullable or field.name == "reorder_level")


def _when_empty(table: Table, column: str) -> Any:
    return None if table.c[column].nullable else 0
