"""Stock counts: where another number of pieces was counted than the stock says, a movement sets it right.

Positive differences become inflows, negative ones outflows, all of kind ``adjustment`` and with the
count's reference. A difference is taken while the product is locked: what is sold between the count
and its saving is known by then.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Change
from webapp.pipeline.check import CheckedRow, missing
from webapp.resources.base import N_
from webapp.resources.registry import get_resource
from webapp.resources.stock_counts import STOCK_COUNTS
from webapp.resources.types import Problem, fold_key
from webapp.services.record_references import resolve_references
from webapp.services.record_shape import get_shape
from webapp.services.records import Plan, SaveContext, save_rows
from webapp.services.seen_keys import SeenKeys
from webapp.services.stock import DIRECTIONS, StockLedger

KIND = "adjustment"
DEFAULT_REASON = "Stock count"


def name_import(import_id: int) -> str:
    """Return the reference of all the movements that an imported count leads to."""
    return f"COUNT-{import_id}"


def save_counts(
    session: Session, rows: Sequence[CheckedRow], context: SaveContext, reference: str
) -> list[Plan]:
    """Save what was counted, in the caller's write transaction, and return what became of each row.

    A row is ``updated`` when its product's stock is set right by it, and ``unchanged`` when it was right.
    """
    return _Count(session, context, reference).save(rows)


class _Count:
    """The rows of one transaction. Products are locked in order of their ids, as by every movement."""

    def __init__(self, session: Session, context: SaveContext, reference: str) -> None:
        self.session = session
        self.shape = get_shape(STOCK_COUNTS)
        self.ledger = context.ledger or StockLedger(is_dry=context.is_dry)
        self.context = context
        self.reference = reference
        self.has_seen = context.is_dry or context.job_id is not None
        self.lines: dict[int, int] = {}

    def save(self, rows: Sequence[CheckedRow]) -> list[Plan]:
        good = [row for row in rows if not row.problems]
        resolve_references(self.session, self.shape, good, self.context, self.ledger)
        ids = [row.values["product_id"] for row in good if "product_id" in row.values]
        if self.has_seen:
            self.lines = self.context.seen.find(ids) | self._find_lines(ids)
        known = set(self.lines)
        plans = [self._plan(row) for row in rows]
        is_lost = self.context.all_or_nothing and any(plan.action == "failed" for plan in plans)
        if not self.context.is_dry and not is_lost:
            for name, direction in DIRECTIONS.items():
                self._move(name, [plan for plan in plans if plan.delta * direction > 0])
        if self.has_seen:
            self.context.seen.add({item: line for item, line in self.lines.items() if item not in known})
        return plans

    def _plan(self, row: CheckedRow) -> Plan:
        for item, column in self.shape.required:
            if not row.problems and column not in row.values:
                row.add_problem(item.name, missing(item))
        if row.problems:
            return Plan(row, "failed")
        product_id, counted = row.values["product_id"], row.values["counted"]
        if product_id in self.lines:
            problem = Problem(
                N_("This product was counted on line %(line)s already."),
                N_("Remove one of the two, or write the sum on one line."),
                line=self.lines[product_id],
            )
            row.add_problem("product", problem)
            return Plan(row, "failed")
        self.lines[product_id] = row.line
        quantity = self.ledger.get_quantity(product_id)
        return Plan(
            row,
            "unchanged" if counted == quantity else "updated",
            before={"product_id": product_id, "counted": quantity},
            after={"product_id": product_id, "counted": counted, "reason": row.values.get("reason")},
            delta=counted - quantity,
            product_id=product_id,
            quantities=(quantity, counted),
        )

    def _move(self, resource_name: str, plans: Sequence[Plan]) -> None:
        """Save the movements of one direction, by the way that every movement takes."""
        context = replace(
            self.context, mode="create", empty="keep", repeated="error", ledger=self.ledger, seen=SeenKeys()
        )
        rows = [self._describe(plan) for plan in plans]
        made = save_rows(self.session, get_resource(resource_name), rows, context) if rows else []
        for plan, movement in zip(plans, made, strict=True):
            if movement.action == "failed":
                plan.action, plan.delta = "failed", 0
                plan.row.problems += movement.row.problems

    def _describe(self, plan: Plan) -> CheckedRow:
        row = plan.row
        values = {
            "reference": self.reference,
            "product": row.values["product"],
            "quantity": abs(plan.delta),
            "kind": KIND,
            "reason": row.values.get("reason") or DEFAULT_REASON,
        }
        return CheckedRow(row.line, values, raw=row.raw, columns=row.columns)

    def _find_lines(self, product_ids: Sequence[int]) -> dict[int, int]:
        """Return the lines of the products that this count has moved before it was cut off."""
        found: dict[int, int] = {}
        for name in () if self.context.is_dry else DIRECTIONS:
            table: Any = get_shape(get_resource(name)).table
            query = (
                select(table.c.product_id, Change.line)
                .join(Change, (Change.record_id == table.c.id) & (Change.resource == name))
                .where(
                    table.c.reference_key == fold_key(self.reference),
                    table.c.product_id.in_(product_ids),
                    Change.action == "created",
                )
            )
            found |= {product_id: line or 0 for product_id, line in self.session.execute(query)}
        return found
