"""Saving records: the one path of a form (a batch of one), the API and an import.

Each row is checked, has its stock effect and sends its signals, in file order; the SQL is batched.
A bad row never takes its neighbours with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, insert, text, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from webapp.models import Change, Inflow
from webapp.models.base import utc_now
from webapp.pipeline.check import CheckedRow, missing
from webapp.resources.base import N_, Resource
from webapp.resources.derived import derived_columns
from webapp.resources.registry import get_resource
from webapp.resources.types import Problem
from webapp.services.record_lookup import (
    Key,
    find_existing,
    find_lines_of_job,
    get_table,
    key_of,
    resolve_references,
)
from webapp.services.signals import record_saved, rows_saved, stock_moved
from webapp.services.stock import DIRECTIONS, StockLedger

MODES = ("upsert", "create", "update")


@dataclass
class SaveContext:
    """Who saves, from where, and how. With ``is_dry`` everything is checked and nothing written."""

    actor_id: int | None
    source: str
    job_id: int | None = None
    mode: str = "upsert"
    is_dry: bool = False
    ledger: StockLedger | None = None
    seen: set[int] = field(default_factory=set)


@dataclass
class Plan:
    """What becomes of one row: the record's columns before and after, and its stock effect."""

    row: CheckedRow
    action: str
    record_id: int = 0
    before: dict[str, Any] | None = None
    after: dict[str, Any] = field(default_factory=dict)
    delta: int = 0
    product_id: int | None = None
    quantities: tuple[int, int] = (0, 0)
    opening: int = 0


def save_rows(
    session: Session, resource: Resource, rows: Sequence[CheckedRow], context: SaveContext
) -> list[Plan]:
    """Save a batch inside the caller's write transaction and return what became of each row, in order.

    A row with problems has the action ``failed`` and keeps them in ``row.problems``.
    """
    plans: list[Plan] = []
    for group in _split_at_repeats(resource, rows):
        plans += _save_group(session, resource, group, context)
    if not context.is_dry and any(plan.action in {"created", "updated"} for plan in plans):
        rows_saved.send(resource.name, save=context, session=session)
    return plans


def _split_at_repeats(resource: Resource, rows: Sequence[CheckedRow]) -> Iterator[list[CheckedRow]]:
    """Cut where a key comes again, so that the later row meets what the earlier one has saved."""
    group: list[CheckedRow] = []
    keys: set[Any] = set()
    for row in rows:
        parts = tuple(str(row.values.get(name, "")).casefold() for name in resource.key)
        if parts in keys and all(parts):
            yield group
            group, keys = [], set()
        keys.add(parts)
        group.append(row)
    if group:
        yield group


def _save_group(
    session: Session, resource: Resource, rows: list[CheckedRow], context: SaveContext
) -> list[Plan]:
    ledger = context.ledger or StockLedger(is_dry=context.is_dry)
    if context.is_dry:
        return _plan_group(session, resource, rows, context, ledger)
    before = [len(row.problems) for row in rows]
    try:
        with session.begin_nested():
            plans = _plan_group(session, resource, rows, context, ledger)
            _write(session, resource, plans, context, ledger)
    except (IntegrityError, DataError) as error:
        if len(rows) == 1:
            return [_refuse(rows[0], error)]
        for row, count in zip(rows, before, strict=True):
            del row.problems[count:]
        middle = len(rows) // 2
        halves = (rows[:middle], rows[middle:])
        return [plan for half in halves for plan in _save_group(session, resource, half, context)]
    _send_signals(session, resource, plans, context)
    return plans


def _refuse(row: CheckedRow, error: Exception) -> Plan:
    reason = str(getattr(error, "orig", error)).splitlines()[0]
    row.add_problem("", Problem(N_("The database refused the row: %(reason)s."), reason=reason))
    return Plan(row, "failed")


def _plan_group(
    session: Session, resource: Resource, rows: list[CheckedRow], context: SaveContext, ledger: StockLedger
) -> list[Plan]:
    good = [row for row in rows if not row.problems]
    resolve_references(session, resource, good)
    keys = {
        row.line: key
        for row in good
        if (key := key_of(resource, row.values)) is not None and not row.problems
    }
    existing = find_existing(session, resource, list(keys.values()), lock=not context.is_dry) if keys else {}
    planner = _Planner(session, resource, context, ledger, existing)
    if resource.name in DIRECTIONS:
        ledger.load(session, (row.values["product_id"] for row in good if "product_id" in row.values))
    return [planner.plan(row, keys.get(row.line)) for row in rows]


class _Planner:
    """Decides about one row after the other, each seeing what the ones before it did to the stock."""

    def __init__(
        self,
        session: Session,
        resource: Resource,
        context: SaveContext,
        ledger: StockLedger,
        existing: dict[Key, dict[str, Any]],
    ) -> None:
        self.resource = resource
        self.context = context
        self.ledger = ledger
        self.existing = existing
        self.is_movement = resource.name in DIRECTIONS
        self.lines: dict[int, int] = {}
        if self.is_movement and existing and context.job_id is not None and not context.is_dry:
            ids = [row["id"] for row in existing.values()]
            self.lines = find_lines_of_job(session, resource, context.job_id, ids)

    def plan(self, row: CheckedRow, key: Key | None) -> Plan:
        """Return what becomes of a row."""
        if row.problems:
            return Plan(row, "failed")
        if self.context.is_dry and key is not None and self._is_repeated(key):
            return self._fail(
                row,
                self.resource.key[0],
                Problem(
                    N_("The same reference and product stand on an earlier line."),
                    N_("Remove one of the two."),
                ),
            )
        before = self.existing.get(key) if key else None
        made = self._plan_update(row, before) if before else self._plan_create(row)
        return self._move(made) if self.is_movement and made.action != "failed" else made

    def _fail(self, row: CheckedRow, field_name: str, problem: Problem) -> Plan:
        row.add_problem(field_name, problem)
        return Plan(row, "failed")

    def _is_repeated(self, key: Key) -> bool:
        """In a dry run what an earlier row would save is known by its key alone."""
        is_known = hash(key) in self.context.seen
        self.context.seen.add(hash(key))
        return is_known and self.is_movement

    def _plan_create(self, row: CheckedRow) -> Plan:
        if self.context.mode == "update":
            problem = Problem(N_("There is no such %(kind)s to update."), kind=self.resource.label)
            return self._fail(row, self.resource.key[0], problem)
        for item in self.resource.writable_fields:
            if item.required and item.column not in row.values:
                row.add_problem(item.name, missing(item))
        if row.problems:
            return Plan(row, "failed")
        after = {item.column: row.values.get(item.column) for item in self.resource.writable_fields}
        made = Plan(row, "created", after=after)
        if self.resource.name == "products":
            made.opening, after["quantity"] = after["quantity"] or 0, 0
            after["reorder_level"] = after["reorder_level"] or 0
        if self.is_movement:
            self._fill_movement(after)
        return made

    def _fill_movement(self, after: dict[str, Any]) -> None:
        product = self.ledger.get_product(after["product_id"])
        after["occurred_at"] = after["occurred_at"] or utc_now().replace(microsecond=0)
        after["kind"] = after["kind"] or ("purchase" if self.resource.name == "inflows" else "sale")
        after["unit_cost"] = product.cost_price if after["unit_cost"] is None else after["unit_cost"]
        if "unit_price" in after and after["unit_price"] is None:
            after["unit_price"] = product.sell_price

    def _plan_update(self, row: CheckedRow, before: dict[str, Any]) -> Plan:
        if self.context.mode == "create":
            problem = Problem(N_("There is already such a %(kind)s."), kind=self.resource.label)
            return self._fail(row, self.resource.key[0], problem)
        if before["id"] in self.lines:
            problem = Problem(
                N_("The same reference and product stand on line %(line)s."),
                N_("Remove one of the two, or add them up."),
                line=self.lines[before["id"]],
            )
            return self._fail(row, self.resource.key[0], problem)
        columns = [item.column for item in self.resource.writable_fields]
        after = {column: row.values.get(column, before[column]) for column in columns}
        if self.resource.name == "products" and after["quantity"] != before["quantity"]:
            problem = Problem(
                N_("The stock is %(stock)s, the file says %(file)s."),
                N_("Record an inflow or outflow; a product's quantity is not edited."),
                stock=before["quantity"],
                file=after["quantity"],
            )
            return self._fail(row, "quantity", problem)
        if all(after[column] == before[column] for column in columns):
            return Plan(row, "unchanged", record_id=before["id"], before=before, after=after)
        return Plan(row, "updated", record_id=before["id"], before=before, after=after)

    def _move(self, plan: Plan) -> Plan:
        already = plan.before["quantity"] if plan.before else 0
        plan.product_id = plan.after["product_id"]
        plan.delta = DIRECTIONS[self.resource.name] * (plan.after["quantity"] - already)
        if plan.delta:
            try:
                plan.quantities = self.ledger.move(plan.after["product_id"], plan.delta)
            except Problem as problem:
                return self._fail(plan.row, "quantity", problem)
        return plan


def _write(
    session: Session, resource: Resource, plans: list[Plan], context: SaveContext, ledger: StockLedger
) -> None:
    created = [plan for plan in plans if plan.action == "created"]
    updated = [plan for plan in plans if plan.action == "updated"]
    now = utc_now()
    if created:
        _write_created(session, resource, created, now)
    if updated:
        _write_updated(session, resource, updated, now)
    ledger.write(session)
    _write_changes(session, resource, created + updated, context, now)
    openings = [plan for plan in created if plan.opening]
    if openings:
        _write_openings(session, openings, context)


def _write_created(session: Session, resource: Resource, plans: list[Plan], now: datetime) -> None:
    table = get_table(resource)
    for plan, record_id in zip(plans, allocate_ids(session, table.name, len(plans)), strict=True):
        plan.record_id = record_id
        if "reference" in plan.after and not plan.after["reference"]:
            plan.after["reference"] = f"{'IN' if resource.name == 'inflows' else 'OUT'}-{record_id}"
    rows = [
        {
            **plan.after,
            **derived_columns(resource, plan.after),
            "id": plan.record_id,
            "version": 1,
            "created_at": now,
            "updated_at": now,
        }
        for plan in plans
    ]
    session.execute(insert(table), rows)


def _write_updated(session: Session, resource: Resource, plans: list[Plan], now: datetime) -> None:
    table = get_table(resource)
    rows = [
        {**plan.after, **derived_columns(resource, plan.after), "record_id": plan.record_id} for plan in plans
    ]
    columns = [name for name in rows[0] if name != "record_id"]
    statement = update(table).where(table.c.id == bindparam("record_id"))
    values = {table.c[name]: bindparam(f"new_{name}", type_=table.c[name].type) for name in columns}
    statement = statement.values({**values, table.c.version: table.c.version + 1, table.c.updated_at: now})
    parameters = [
        {"record_id": row["record_id"], **{f"new_{name}": row[name] for name in columns}} for row in rows
    ]
    session.execute(statement, parameters)


def allocate_ids(session: Session, table: str, count: int) -> Sequence[int]:
    """Take ``count`` ids beforehand: a block of the sequence, or the next ones under the write lock."""
    if session.get_bind().dialect.name == "postgresql":
        query = "SELECT nextval(CAST(pg_get_serial_sequence(:name, 'id') AS regclass)) FROM generate_series(1, :count)"
        return session.scalars(text(query), {"name": table, "count": count}).all()
    last = session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table}) or 0
    return range(last + 1, last + 1 + count)


def _write_changes(
    session: Session, resource: Resource, plans: list[Plan], context: SaveContext, now: datetime
) -> None:
    rows = [
        {
            "at": now,
            "actor_id": context.actor_id,
            "source": context.source,
            "job_id": context.job_id,
            "line": plan.row.line or None,
            "resource": resource.name,
            "record_id": plan.record_id,
            "action": plan.action,
            "before": _changed(plan.before, plan.after) if plan.before else None,
            "after": _changed(plan.after, plan.before) if plan.before else _plain(plan.after),
        }
        for plan in plans
    ]
    if rows:
        session.execute(insert(Change.__table__), rows)  # type: ignore[arg-type]  # a Table, for a mapped class


def _changed(values: dict[str, Any], others: dict[str, Any] | None) -> dict[str, Any]:
    names = [
        name for name in values if others is not None and name in others and values[name] != others[name]
    ]
    return _plain({name: values[name] for name in names})


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as JSON keeps them without losing a digit."""
    return {name: _plain_value(value) for name, value in values.items() if value is not None}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _write_openings(session: Session, plans: list[Plan], context: SaveContext) -> None:
    """A new product's quantity comes in as a movement, like all stock."""
    rows = [
        CheckedRow(
            plan.row.line,
            {
                "product": plan.after["serial_number"],
                "quantity": plan.opening,
                "unit_cost": plan.after["cost_price"],
                "kind": "opening",
            },
            columns={"quantity": plan.row.columns.get("quantity", "quantity")},
            raw=plan.row.raw,
        )
        for plan in plans
    ]
    opened = _save_group(session, get_resource("inflows"), rows, context)
    failed = next((plan for plan in opened if plan.action == "failed"), None)
    if failed is not None:
        raise IntegrityError(str(failed.row.problems[0].problem), None, ValueError(Inflow.__tablename__))


def _send_signals(session: Session, resource: Resource, plans: list[Plan], context: SaveContext) -> None:
    for plan in plans:
        if plan.action not in {"created", "updated"}:
            continue
        record_saved.send(
            resource.name,
            record_id=plan.record_id,
            action=plan.action,
            before=plan.before,
            after=plan.after,
            save=context,
            line=plan.row.line,
            session=session,
        )
        if plan.delta:
            stock_moved.send(
                resource.name,
                product_id=plan.product_id,
                delta=plan.delta,
                before=plan.quantities[0],
                after=plan.quantities[1],
                record_id=plan.record_id,
                line=plan.row.line,
                session=session,
            )
