"""What a kind of record looks like. Everything repetitive is derived from these two declarations.

Neither Flask nor SQLAlchemy is imported here: the pipeline and its child processes get fields as
plain values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from webapp.resources.types import N_, FieldType, Reference

__all__ = ["N_", "Field", "Resource"]


@dataclass(frozen=True)
class Field:
    """One property of a record, which is also one column of its files and one name in the API.

    ``path`` is the chain of references that leads to the value, where the record does not hold it
    itself: a product's brand is reached through its model. Such a field is read-only.
    """

    name: str
    label: str
    type: FieldType
    required: bool = False
    readonly: bool = False
    searchable: bool = False
    sortable: bool = False
    in_list: bool = True
    help: str = ""
    example: str = ""
    aliases: tuple[str, ...] = ()
    path: tuple[str, ...] = ()

    @property
    def is_reference(self) -> bool:
        """Whether the value is the key of another record."""
        return isinstance(self.type, Reference)

    @property
    def column(self) -> str:
        """The name of the model's column: a reference is stored as the other record's id."""
        return f"{self.name}_id" if self.is_reference else self.name


@dataclass(frozen=True)
class Resource:
    """One kind of record: its names, its model and its fields.

    ``key`` names the fields that identify a record to people; an import matches on them.
    ``reference_field`` is the one that others write to point at a record of this kind, and
    ``title_field`` the one that names it on a page. What has no records of its own can only be imported.
    """

    name: str
    label: str
    label_plural: str
    icon: str
    model: type[Any]
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    reference_field: str
    title_field: str
    order_by: tuple[str, ...]
    group: str = ""
    has_records: bool = True

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def get_field(self, name: str) -> Field:
        """Return the field of this name; KeyError when there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    @property
    def writable_fields(self) -> tuple[Field, ...]:
        """The fields that a form or a file may set."""
        return tuple(field for field in self.fields if not field.readonly)

    @property
    def list_fields(self) -> tuple[Field, ...]:
        """The columns of the list page."""
        return tuple(field for field in self.fields if field.in_list)

    @property
    def searchable_fields(self) -> tuple[Field, ...]:
        """The fields whose text ``search_text`` holds."""
        return tuple(field for field in self.fields if field.searchable)
