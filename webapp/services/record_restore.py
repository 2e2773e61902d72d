"""Giving records back what a change has taken from them, with their stock, signals and audit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.models.base import Moment, Money
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import N_, Resource
from webapp.resources.types import Problem
from webapp.services.record_plan import Plan
from webapp.services.record_removal import Gone, list_references
from webapp.services.record_shape import get_shape
from webapp.services.record_write import write_plans
from webapp.services.records import SaveContext, send_signals
from webapp.services.stock import DIRECTIONS, StockLedger


class Restoring:
    """Some records of one kind on their way back to what they were, in the caller's write transaction."""

    def __init__(
        self, session: Session, resource: Resource, context: SaveContext, gone: Gone | None = None
    ) -> None:
        self.session = session
        self.resource = resource
        self.shape = get_shape(resource)
        self.context = context
        self.gone = Gone() if gone is None else gone
        self.ledger = context.ledger or StockLedger(is_dry=context.is_dry)
        self.problems: dict[int, Problem] = {}

    def restore(self, changes: Sequence[Any]) -> dict[int, Problem]:
        """Restore the record of each change, and return why some stay as they are."""
        rows = self._lock([change.record_id for change in changes])
        quantities = self.ledger.remember()
        plans = [plan for change in changes if (plan := self._plan(change, rows.get(change.record_id)))]
        if self.context.is_dry:
            for plan in plans:
                self.gone.update(list_references(self.resource, plan.before or {}))
                self.gone.subtract(list_references(self.resource, plan.after))
            return self.problems
        try:
            with self.session.begin_nested():
                write_plans(self.session, self.shape, plans, self.context, self.ledger)
        except IntegrityError:
            self.ledger.restore(quantities)
            return self._restore_halves(changes)
        send_signals(self.session, self.resource, plans, self.context)
        return self.problems

    def _restore_halves(self, changes: Sequence[Any]) -> dict[int, Problem]:
        """Find the record that the database refuses: what it referred to is gone, or its name was given away."""
        if len(changes) == 1:
            problem = Problem(N_("What it referred to is gone, or its old name is in use."))
            return {changes[0].record_id: problem}
        middle = len(changes) // 2
        found: dict[int, Problem] = {}
        for half in (changes[:middle], changes[middle:]):
            found |= Restoring(self.session, self.resource, self.context).restore(half)
        return found

    def _lock(self, record_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
        table = self.shape.table
        if self.shape.is_movement:
            products = select(table.c.product_id).where(table.c.id.in_(record_ids)).distinct()
            self.ledger.load(self.session, self.session.scalars(products))
        query = select(table).where(table.c.id.in_(record_ids)).order_by(table.c.id)
        found = self.session.execute(query if self.context.is_dry else query.with_for_update())
        return {row["id"]: dict(row) for row in found.mappings()}

    def _plan(self, change: Any, row: Mapping[str, Any] | None) -> Plan | None:
        if row is None:
            self.problems[change.record_id] = Problem(N_("It was deleted since."))
            return None
        old, new = change.before or {}, change.after or {}
        before = {name: row[name] for name in self.shape.columns}
        after = dict(before)
        for name in old.keys() | new.keys():
            if name in after:
                after[name] = read_value(self.shape.table.c[name], old.get(name))
        plan = Plan(CheckedRow(change.line or 0, {}), "updated", change.record_id, before, after)
        if self.shape.is_movement and not self._move(plan):
            return None
        return plan

    def _move(self, plan: Plan) -> bool:
        """Weigh the restored quantity against the stock; the product of a movement never changes in an import."""
        plan.product_id = plan.after["product_id"]
        before = plan.before or {}
        plan.delta = DIRECTIONS[self.resource.name] * (plan.after["quantity"] - before["quantity"])
        if plan.delta:
            try:
                plan.quantities = self.ledger.move(plan.after["product_id"], plan.delta)
            except Problem as problem:
                self.problems[plan.record_id] = problem
                return False
        return True


def restore_records(
    session: Session,
    resource: Resource,
    changes: Sequence[Any],
    context: SaveContext,
    gone: Gone | None = None,
) -> dict[int, Problem]:
    """Give the record of each change back what it was before, and return why some stay, by id.

    A change has ``record_id``, ``line``, ``before`` and ``after``. No record may come twice.
    """
    return Restoring(session, resource, context, gone).restore(changes)


def read_value(column: Column[Any], value: Any) -> Any:
    """Return a value as JSON has kept it in the column's own type."""
    if value is None:
        return None
    if isinstance(column.type, Money):
        return Decimal(value)
    return datetime.fromisoformat(value) if isinstance(column.type, Moment) else value
