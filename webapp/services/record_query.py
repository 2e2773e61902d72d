"""The SQL of one resource, built from its declaration: the expression of each field, and the joins it needs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased

from webapp.resources.base import Field, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import Reference, fold_key


class RecordQuery:
    """The expressions of a resource's fields. A table is joined once a field of it was asked for."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.model = resource.model
        self._joins: dict[tuple[str, ...], Any] = {}

    def column(self, field: Field) -> ColumnElement[Any]:
        """Return the expression of a field's value: for a reference the other record's key."""
        if not isinstance(field.type, Reference):
            column: ColumnElement[Any] = getattr(self.model, field.name)
            return column
        target = self._join(field.path or (field.name,))
        found: ColumnElement[Any] = getattr(target, get_resource(field.type.resource).reference_field)
        return found

    def order(self, field: Field) -> ColumnElement[Any]:
        """Return what a field is ordered by: the twin of a key, which has an index and knows no case."""
        if isinstance(field.type, Reference):
            return self.reference_key(field)
        twin: ColumnElement[Any] | None = getattr(self.model, f"{field.name}_key", None)
        return self.column(field) if twin is None else twin

    def reference_key(self, field: Field) -> ColumnElement[Any]:
        """Return the casefolded key of the record that a reference points at."""
        target = self._join(field.path or (field.name,))
        name = get_resource(field.type.resource).reference_field  # type: ignore[attr-defined]  # a Reference
        found: ColumnElement[Any] = getattr(target, f"{name}_key")
        return found

    def select(self, fields: Sequence[Field]) -> Select[Any]:
        """Return ``SELECT id, …fields`` with the joins that were asked for, these fields' included."""
        columns = [self.column(field).label(field.name) for field in fields]
        query = select(self.model.id.label("id"), *columns).select_from(self.model)
        for path, target in self._joins.items():
            parent = self._joins[path[:-1]] if path[:-1] else self.model
            query = query.outerjoin(target, getattr(parent, f"{path[-1]}_id") == target.id)
        return query

    def refers_to(self, field: Field, text: str) -> ColumnElement[bool]:
        """Return the condition that a reference leads to the record of this key, whatever lies between.

        It begins at the key: few records of the other kind have it, and those that refer to them have an index.
        """
        path = field.path or (field.name,)
        models = [self.model]
        for part in path:
            models.append(getattr(models[-1], part).property.mapper.class_)
        name = get_resource(field.type.resource).reference_field  # type: ignore[attr-defined]  # a Reference
        condition: ColumnElement[bool] = getattr(models[-1], f"{name}_key") == fold_key(text)
        for place in range(len(path) - 1, -1, -1):
            found = select(models[place + 1].id).where(condition)
            condition = getattr(models[place], f"{path[place]}_id").in_(found)
        return condition

    def _join(self, path: tuple[str, ...]) -> Any:
        if path not in self._joins:
            model = self._join(path[:-1]) if path[:-1] else self.model
            self._joins[path] = aliased(getattr(model, path[-1]).property.mapper.class_)
        return self._joins[path]
