"""Giving what uses a record another one in its place, so that the record can be deleted.

Each record that is changed is one change like any other, with its signals. The movements of a product take
its stock with them, all of them at once: on the way no sum of them falls below zero.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.database import give_way, write_transaction
from webapp.errors import Invalid
from webapp.extensions import db
from webapp.models import User
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import N_, Resource
from webapp.resources.types import Problem
from webapp.services.accounts import require_role
from webapp.services.record_editing import SOURCE
from webapp.services.record_lookup import find_existing
from webapp.services.record_plan import Plan, SaveContext, StockMove
from webapp.services.record_replacement import (
    Replacement,
    check_keys,
    check_may_be_empty,
    describe_taken,
    find_replacement,
)
from webapp.services.record_shape import get_shape
from webapp.services.record_uses import MOST_RECORDS, Use, list_uses
from webapp.services.record_write import write_plans
from webapp.services.records import send_signals
from webapp.services.signals import rows_saved
from webapp.services.stock import DIRECTIONS, StockLedger

BATCH_ROWS = 500
MOST_MOVEMENTS = 2_000  # of a product: in one transaction


def reassign_uses(actor: User, resource: Resource, record_id: int, replacement: Replacement | None) -> int:
    """Give all that uses a record another one, or none, and return how many were changed.

    Invalid says what is wrong with the replacement, or which record could not get it: that is looked up before the
    first is changed. Where somebody comes between two batches, Invalid also says how many have it already; they no
    longer use the record, so that the next try is about the rest.
    """
    require_role(actor, "editor")
    uses = list_uses(resource, record_id)
    _check_size(resource, sum(use.count for use in uses))
    if replacement is None:
        check_may_be_empty(uses)
    context = SaveContext(actor.id, SOURCE)
    if resource.name == "products":
        with write_transaction() as session:
            new_id = find_replacement(session, uses[0], replacement, record_id) if uses else None
            return _reassign_product(session, uses, record_id, new_id, context)
    for use in uses:
        new_id = find_replacement(db.session(), use, replacement, record_id)
        check_keys(db.session(), use, record_id, new_id)
    return sum(_reassign(use, record_id, replacement, context) for use in uses)


def _check_size(resource: Resource, count: int) -> None:
    limit = MOST_MOVEMENTS if resource.name == "products" else MOST_RECORDS
    if count > limit:
        problem = Problem(
            N_("More than %(limit)s records use it: too many to change at once."),
            N_("Change them by an import, or some of them from their list."),
            limit=limit,
        )
        raise Invalid({"replacement": problem})


def _reassign(use: Use, record_id: int, replacement: Replacement | None, context: SaveContext) -> int:
    """Change what uses a record by one field, some in each transaction."""
    done = 0
    while True:
        try:
            changed = _reassign_some(use, record_id, replacement, context)
        except Invalid as error:
            raise Invalid(_add_done(error.problems, done)) from error
        if not changed:
            return done
        done += changed
        give_way()


def _reassign_some(use: Use, record_id: int, replacement: Replacement | None, context: SaveContext) -> int:
    with write_transaction() as session:
        new_id = find_replacement(session, use, replacement, record_id)
        rows = _lock(session, use, record_id, BATCH_ROWS)
        if rows:
            _write(session, use, _plan(use, rows, new_id), context, StockLedger())
    return len(rows)


def _add_done(problems: Mapping[str, Problem], done: int) -> dict[str, Problem]:
    """Return what stopped it, with how many were changed before."""
    if not done:
        return dict(problems)
    told = Problem(
        N_(
            "Somebody else came in between: %(count)s of them were changed already, the others are as they were."
        ),
        N_("Go on with the others below."),
        count=done,
    )
    return {"": told, **problems}


def _lock(session: Session, use: Use, record_id: int, limit: int) -> list[Mapping[str, Any]]:
    table = get_shape(use.resource).table
    query = select(table).where(table.c[use.field.column] == record_id)
    query = query.order_by(table.c.id).limit(limit).with_for_update()
    return [dict(row) for row in session.execute(query).mappings()]


def _plan(use: Use, rows: Sequence[Mapping[str, Any]], new_id: int | None) -> list[Plan]:
    columns = get_shape(use.resource).columns
    plans = []
    for row in rows:
        before = {name: row[name] for name in columns}
        after = before | {use.field.column: new_id}
        plans.append(Plan(CheckedRow(0, {}), "updated", row["id"], before, after))
    return plans


def _write(
    session: Session, use: Use, plans: Sequence[Plan], context: SaveContext, ledger: StockLedger
) -> None:
    """Write the plans of one kind; Invalid names the first whose new key is another record's."""
    shape = get_shape(use.resource)
    keys = [key for plan in plans if (key := shape.key_of(plan.after)) is not None]
    ids = {plan.record_id for plan in plans}
    for record_id, *values in find_existing(session, shape, keys, lock=False).values():
        if record_id not in ids:
            name = values[shape.columns.index(use.resource.reference_field)]
            raise Invalid({"replacement": describe_taken(use, name)})
    try:
        with session.begin_nested():
            write_plans(session, shape, plans, context, ledger)
    except IntegrityError:
        name = plans[0].after[use.resource.reference_field]
        raise Invalid({"replacement": describe_taken(use, name)}) from None
    send_signals(session, use.resource, list(plans), context)
    rows_saved.send(use.resource.name, save=context, session=session)


def _reassign_product(
    session: Session, uses: Sequence[Use], record_id: int, new_id: int | None, context: SaveContext
) -> int:
    if new_id is None:
        return 0
    ledger = StockLedger()
    ledger.load(session, [record_id, new_id])
    plans = {
        use.resource.name: _plan(use, _lock(session, use, record_id, MOST_MOVEMENTS), new_id) for use in uses
    }
    _move_stock(ledger, plans, record_id, new_id)
    for use in uses:
        _write(session, use, plans[use.resource.name], context, ledger)
    return sum(len(items) for items in plans.values())


def _move_stock(ledger: StockLedger, plans: Mapping[str, Sequence[Plan]], old_id: int, new_id: int) -> None:
    """Move the pieces: first what adds, then what takes, so that neither stock falls below zero on the way."""
    moving = [(DIRECTIONS[name], plan) for name, items in plans.items() for plan in items]
    for adds in (True, False):
        for direction, plan in moving:
            pieces = direction * plan.after["quantity"]
            if (direction > 0) == adds:
                plan.product_id, plan.delta = new_id, pieces
                plan.quantities = ledger.move(new_id, pieces)
            else:
                plan.left = StockMove(old_id, -pieces, ledger.move(old_id, -pieces))
