"""Removing records: the one path of a delete button and of taking an import back.

A movement gives its pieces back through the stock, which it may not take below zero. What other
records refer to stays. Both are said for each record; the rest goes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from webapp.errors import Outdated
from webapp.models import Change
from webapp.models.base import utc_now
from webapp.resources.base import N_, Field, Resource
from webapp.resources.registry import RESOURCES
from webapp.resources.types import Problem, Reference
from webapp.services.record_plan import describe_shortfall
from webapp.services.record_shape import get_shape
from webapp.services.records import SaveContext
from webapp.services.signals import record_deleted, stock_moved
from webapp.services.stock import DIRECTIONS, StockLedger

# How many references to a record, by its kind and id, are gone already without being written: a dry run.
Gone = Counter[tuple[str, int]]


class Removal:
    """Some records of one kind on their way out, in the caller's write transaction."""

    def __init__(
        self,
        session: Session,
        resource: Resource,
        context: SaveContext,
        gone: Gone | None = None,
        version: int | None = None,
    ) -> None:
        self.session = session
        self.resource = resource
        self.shape = get_shape(resource)
        self.context = context
        self.gone = Gone() if gone is None else gone
        self.version = version
        self.ledger = context.ledger or StockLedger(is_dry=context.is_dry)
        self.problems: dict[int, Problem] = {}
        self.moved: dict[int, tuple[int, tuple[int, int]]] = {}

    def remove(self, record_ids: Sequence[int]) -> dict[int, Problem]:
        """Remove what can go, in this order, and return why the others stay. What is not there is no problem."""
        rows = self._lock(record_ids)
        if self.version is not None and any(row["version"] != self.version for row in rows.values()):
            raise Outdated(N_("It was changed meanwhile. Look at it again before you delete it."))
        uses = {} if self.shape.is_movement else count_uses(self.session, self.resource, list(rows))
        going = [rows[item] for item in dict.fromkeys(record_ids) if item in rows]
        going = [row for row in going if self._may_go(row, uses.get(row["id"], {}))]
        for row in going:
            self.gone.update(list_references(self.resource, row))
        if not self.context.is_dry and going:
            self._write(going)
        return self.problems

    def _lock(self, record_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
        """Lock products before movements and each in order of their ids, as the saving of rows does."""
        table = self.shape.table
        query = select(table).where(table.c.id.in_(record_ids)).order_by(table.c.id)
        if self.shape.is_movement:
            products = select(table.c.product_id).where(table.c.id.in_(record_ids)).distinct()
            self.ledger.load(self.session, self.session.scalars(products))
        found = self.session.execute(query if self.context.is_dry else query.with_for_update())
        rows = {row["id"]: dict(row) for row in found.mappings()}
        if self.shape.is_movement:
            self.ledger.load(self.session, (row["product_id"] for row in rows.values()))
        return dict(rows)

    def _may_go(self, row: Mapping[str, Any], uses: Mapping[str, int]) -> bool:
        if self.shape.is_movement:
            problem = self._move(row)
        else:
            problem = _in_use(uses, self.gone[self.resource.name, row["id"]])
        if problem is not None:
            self.problems[row["id"]] = problem
        return problem is None

    def _move(self, row: Mapping[str, Any]) -> Problem | None:
        product_id, delta = row["product_id"], -DIRECTIONS[self.resource.name] * row["quantity"]
        try:
            self.moved[row["id"]] = (delta, self.ledger.move(product_id, delta))
        except Problem as problem:
            return describe_shortfall(problem)
        return None

    def _write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        table = self.shape.table
        self.ledger.write(self.session, self.context.job_id)
        self.session.execute(delete(table).where(table.c.id.in_([row["id"] for row in rows])))
        now = utc_now()
        changes = [
            {
                "at": now,
                "actor_id": self.context.actor_id,
                "source": self.context.source,
                "job_id": self.context.job_id,
                "resource": self.resource.name,
                "record_id": row["id"],
                "action": "deleted",
                "before": _plain({name: row[name] for name in self.shape.columns}),
            }
            for row in rows
        ]
        self.session.execute(insert(Change.__table__), changes)  # type: ignore[arg-type]  # a Table
        for row in rows:
            self._send(row)

    def _send(self, row: Mapping[str, Any]) -> None:
        record_deleted.send(
            self.resource.name,
            record_id=row["id"],
            before={name: row[name] for name in self.shape.columns},
            save=self.context,
            session=self.session,
        )
        if row["id"] in self.moved:
            delta, (before, after) = self.moved[row["id"]]
            stock_moved.send(
                self.resource.name,
                product_id=row["product_id"],
                delta=delta,
                before=before,
                after=after,
                record_id=row["id"],
                line=None,
                session=self.session,
            )


def remove_records(
    session: Session,
    resource: Resource,
    record_ids: Sequence[int],
    context: SaveContext,
    gone: Gone | None = None,
    version: int | None = None,
) -> dict[int, Problem]:
    """Remove records and return why some of them stay, by id. Nothing is written in a dry run.

    Outdated when a version is given and one of them is at another.
    """
    return Removal(session, resource, context, gone, version).remove(record_ids)


def count_uses(session: Session, resource: Resource, record_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return how many records of each kind refer to these, by their ids."""
    uses: dict[int, dict[str, int]] = {}
    for other in RESOURCES.values():
        for field in _list_own_references(other):
            if field.type.resource != resource.name:  # type: ignore[attr-defined]  # it is a reference
                continue
            column = getattr(other.model, field.column)
            query = select(column, func.count()).where(column.in_(record_ids)).group_by(column)
            for record_id, count in session.execute(query):
                uses.setdefault(record_id, {})[other.label_plural] = count
    return uses


def list_references(resource: Resource, values: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return what a record refers to: the kind and the id of each."""
    return [
        (field.type.resource, values[field.column])  # type: ignore[attr-defined]  # it is a reference
        for field in _list_own_references(resource)
        if values.get(field.column) is not None
    ]


def _list_own_references(resource: Resource) -> list[Field]:
    return [field for field in resource.writable_fields if isinstance(field.type, Reference)]


def _in_use(uses: Mapping[str, int], gone: int) -> Problem | None:
    count = sum(uses.values()) - gone
    if count <= 0:
        return None
    kind = max(uses, key=lambda name: uses[name])
    return Problem(N_("It is used by other records (%(kind)s)."), kind=kind, count=count)


def _plain(values: Mapping[str, Any]) -> Any:
    """Return values as JSON keeps them without losing a digit."""
    return orjson.loads(
        orjson.dumps({name: one for name, one in values.items() if one is not None}, default=str)
    )
