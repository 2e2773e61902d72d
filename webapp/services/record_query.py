"""The SQL of one resource, built from its declaration: the expression of each field, and the joins it needs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased

from webapp.resources.base import Field, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import Reference, fold_key
from webapp.services.product_quantities import QUANTITIES, is_beside
from webapp.services.unindexed import unindexed


class RecordQuery:
    """The expressions of a resource's fields. A table is joined once a field of it was asked for.

    Its conditions are answered through their own indexes, or with ``walks_down`` on the way down this field's.
    With ``may_join`` they may name other tables beside the resource's: a plain query of its records joins those.
    """

    def __init__(
        self, resource: Resource, *, walks_down: Field | None = None, may_join: bool = False
    ) -> None:
        self.resource = resource
        self.model = resource.model
        self.walks_down = walks_down
        self.may_join = may_join
        self._joins: dict[tuple[str, ...], Any] = {}

    def column(self, field: Field) -> ColumnElement[Any]:
        """Return the expression of a field's value: for a reference the other record's key."""
        if not isinstance(field.type, Reference):
            column: ColumnElement[Any] = getattr(self.model, field.name)
            return column
        target = self._join(field.path or (field.name,))
        found: ColumnElement[Any] = getattr(target, get_resource(field.type.resource).reference_field)
        return found

    def condition_column(self, name: str) -> ColumnElement[Any]:
        """Return a column of the record's own as a condition on it needs it."""
        if self.goes_beside(name):
            return QUANTITIES.c.quantity
        column: ColumnElement[Any] = getattr(self.model, name)
        if self.walks_down is None or self._has_index(name, self.walks_down.column):
            return column
        hidden: ColumnElement[Any] = unindexed(column)
        return hidden

    def goes_beside(self, name: str) -> bool:
        """Whether a condition on a column of the record's own is one on the table beside it."""
        return is_beside(self.model, name) and (self.walks_down is None or self.walks_down.name == name)

    def narrow(self, beside: Sequence[ColumnElement[bool]]) -> list[ColumnElement[bool]]:
        """Return conditions on the table beside the record as those that a query of records takes."""
        if not beside or self.walks_down is not None:  # whoever walks down that table has joined it
            return list(beside)
        return [self.model.id.in_(select(QUANTITIES.c.product_id).where(*beside))]

    def walk(self, field: Field) -> tuple[Select[Any], ColumnElement[Any], Any]:
        """Return ``SELECT id, place`` of all records in an index's reach, with its two columns of the order."""
        if is_beside(self.model, field.name):
            place, row_id = QUANTITIES.c.quantity, QUANTITIES.c.product_id
            found = select(row_id.label("id"), place.label("place"))
            return found.join(self.model, self.model.id == row_id), place, row_id
        column = self.order(field)
        return select(self.model.id.label("id"), column.label("place")), column, self.model.id

    def _has_index(self, first: str, second: str) -> bool:
        """Whether one index answers the condition and gives the order, too."""
        indexes = self.model.__table__.indexes
        return first == second or any(list(index.columns.keys())[:2] == [first, second] for index in indexes)

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

    def title(self, field: Field) -> ColumnElement[Any] | None:
        """Return what people call the record that a reference points at, where its key is something else."""
        if not isinstance(field.type, Reference):
            return None
        target = get_resource(field.type.resource)
        if target.title_field == target.reference_field:
            return None
        found: ColumnElement[Any] = getattr(self._join(field.path or (field.name,)), target.title_field)
        return found

    def select(self, fields: Sequence[Field], *, with_titles: bool = False) -> Select[Any]:
        """Return ``SELECT id, …fields`` with the joins that were asked for, these fields' included.

        ``with_titles`` adds a ``…_title`` beside each reference that leads to a record of another name than its key.
        """
        columns = [self.column(field).label(field.name) for field in fields]
        titles = [(field, self.title(field)) for field in fields if with_titles]
        columns += [title.label(f"{field.name}_title") for field, title in titles if title is not None]
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
        target = get_resource(field.type.resource)  # type: ignore[attr-defined]  # a Reference
        condition: ColumnElement[bool] = getattr(models[-1], f"{target.reference_field}_key") == fold_key(
            text
        )
        is_one = len(target.key) == 1  # so a planner may know it: records of one are in an index's order
        for place in range(len(path) - 1, -1, -1):
            found = select(models[place + 1].id).where(condition)
            name = f"{path[place]}_id"
            column = getattr(models[place], name) if place else self.condition_column(name)
            condition = column == found.scalar_subquery() if is_one else column.in_(found)
            is_one = False
        return condition

    def _join(self, path: tuple[str, ...]) -> Any:
        if path not in self._joins:
            model = self._join(path[:-1]) if path[:-1] else self.model
            self._joins[path] = aliased(getattr(model, path[-1]).property.mapper.class_)
        return self._joins[path]
