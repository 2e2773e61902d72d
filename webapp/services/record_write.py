"""Writing what was planned: records, stock and changes, a few statements for all of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.models import Change
from webapp.models.base import utc_now
from webapp.pipeline.check import CheckedRow
from webapp.resources.registry import get_resource
from webapp.services.bulk import insert_tuples, prepare_insert, update_tuples
from webapp.services.record_plan import Plan, SaveContext, make_reference
from webapp.services.record_shape import Shape, get_shape
from webapp.services.stock import StockLedger

CHANGE_COLUMNS = (
    "at",
    "actor_id",
    "source",
    "job_id",
    "line",
    "resource",
    "record_id",
    "action",
    "before",
    "after",
)


def write_plans(
    session: Session, shape: Shape, plans: Sequence[Plan], context: SaveContext, ledger: StockLedger
) -> None:
    """Write the records of plans that create or update, the stock that they move, and their changes."""
    created = [plan for plan in plans if plan.action == "created"]
    updated = [plan for plan in plans if plan.action == "updated"]
    now = utc_now()
    described: list[Callable[[], None]] = []

    def describe(changed: list[Plan]) -> None:
        table: Any = Change.__table__
        rows = _describe(shape, changed, context, now)
        described.append(prepare_insert(session, table, CHANGE_COLUMNS, rows, ready=("before", "after")))

    if created:
        _write_created(session, shape, created, now, lambda: describe(created))
    if updated:
        _write_updated(session, shape, updated, now)
        describe(updated)
    ledger.write(session, context.job_id)
    for insert in described:
        insert()


def write_openings(
    session: Session, products: Sequence[Plan], context: SaveContext, ledger: StockLedger
) -> None:
    """Write the movements by which the stock of new products has come in, like all stock."""
    shape = get_shape(get_resource("inflows"))
    now = utc_now().replace(microsecond=0)
    for plan in products:
        after = dict.fromkeys(shape.columns) | {
            "product_id": plan.record_id,
            "quantity": plan.opening,
            "unit_cost": plan.after["cost_price"],
            "kind": "opening",
            "occurred_at": now,
        }
        plan.opened = Plan(
            CheckedRow(plan.row.line, {}),
            "created",
            after=after,
            delta=plan.opening,
            product_id=plan.record_id,
            quantities=(0, plan.opening),
        )
    write_plans(session, shape, [plan.opened for plan in products if plan.opened], context, ledger)


def _write_created(
    session: Session, shape: Shape, plans: list[Plan], now: datetime, meanwhile: Callable[[], None]
) -> None:
    for plan, record_id in zip(plans, allocate_ids(session, shape.table.name, len(plans)), strict=True):
        plan.record_id = record_id
        if shape.is_movement and not plan.after["reference"]:
            plan.after["reference"] = make_reference(shape.resource.name, record_id)
    derive = shape.derivation.derive
    names = [*shape.columns, *shape.derivation.columns, "id", "version", "created_at", "updated_at"]
    rows = [(*_as_written(plan).values(), *derive(plan.after), plan.record_id, 1, now, now) for plan in plans]
    # In order of their keys: two imports that add the same records then wait for each other only one way.
    places = [names.index(name) for name in shape.key_columns]
    rows.sort(key=itemgetter(*places))
    insert_tuples(session, shape.table, names, rows, meanwhile=meanwhile)


def _as_written(plan: Plan) -> dict[str, Any]:
    """A new product's row holds its opening stock at once; the movement is written beside it."""
    return plan.after | {"quantity": plan.opening} if plan.opening else plan.after


def _write_updated(session: Session, shape: Shape, plans: list[Plan], now: datetime) -> None:
    """Write the columns in which one of these records changes.

    SQLite enters a row anew into every index of what it is given (measured: a product's 1,900 movements in a third of
    the time).
    """
    names = [*shape.columns, *shape.derivation.columns]
    after = [_list_values(shape, plan.after) for plan in plans]
    before = [_list_values(shape, plan.before or plan.after) for plan in plans]
    changed = [
        place
        for place, name in enumerate(names)
        if any(new[place] != old[place] for new, old in zip(after, before, strict=True))
    ]
    rows = [
        (plan.record_id, *(row[place] for place in changed)) for plan, row in zip(plans, after, strict=True)
    ]
    update_tuples(session, shape.table, [names[place] for place in changed], rows, now)


def _list_values(shape: Shape, values: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*map(values.__getitem__, shape.columns), *shape.derivation.derive(values))


def allocate_ids(session: Session, table: str, count: int) -> Sequence[int]:
    """Take ``count`` ids beforehand: a block of the sequence, or the next ones under the write lock."""
    if session.get_bind().dialect.name == "postgresql":
        # The name is looked up once, not for every id (measured: 4 µs each).
        sequence = "(SELECT CAST(pg_get_serial_sequence(:name, 'id') AS regclass))"
        query = f"SELECT nextval({sequence}) FROM generate_series(1, :count)"  # noqa: S608 - our own text
        return session.scalars(text(query), {"name": table, "count": count}).all()
    last = session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table}) or 0
    return range(last + 1, last + 1 + count)


def _describe(shape: Shape, plans: list[Plan], context: SaveContext, now: datetime) -> list[tuple[Any, ...]]:
    """Return the rows of the audit."""
    return [
        (
            now,
            context.actor_id,
            context.source,
            context.job_id,
            plan.row.line or None,
            shape.resource.name,
            plan.record_id,
            plan.action,
            None if plan.before is None else _as_json(_changed(plan.before, plan.after)),
            _as_json(plan.after if plan.before is None else _changed(plan.after, plan.before)),
        )
        for plan in plans
    ]


def _changed(values: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in values if name in others and values[name] != others[name]}


def _as_json(values: dict[str, Any]) -> str:
    """Return values as JSON keeps them without losing a digit: amounts as text, moments as ISO 8601."""
    return orjson.dumps(
        {name: value for name, value in values.items() if value is not None}, default=str
    ).decode()
