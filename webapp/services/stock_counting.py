"""A count that a person enters: the products on its list, and the list applied in one transaction."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, literal, select, union_all
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.errors import Conflict, Invalid, NotFound
from webapp.extensions import db, settings
from webapp.models import Change, Inflow, Outflow, Product, User
from webapp.models.base import utc_now
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import N_
from webapp.resources.types import Problem, fold_key
from webapp.services.accounts import require_role
from webapp.services.records import SaveContext
from webapp.services.stock import StockLedger
from webapp.services.stock_counts import save_counts

SOURCE = "stock_count"
LARGEST_LIST = 500
REFERENCE = re.compile(r"COUNT-\d{4}-\d{2}-\d{2}-[0-9A-F]{8}")


@dataclass(frozen=True)
class CountResult:
    """What a count has done: how many products it set right, how many were right, how many it weighed anew.

    The last are those whose stock was another one than the person had before them.
    """

    corrected: int
    unchanged: int
    moved_meanwhile: Sequence[str]


@dataclass(frozen=True)
class Correction:
    """One movement that a count has led to."""

    resource: str
    movement_id: int
    product_id: int
    serial_number: str
    title: str
    difference: int
    reason: str | None
    at: datetime
    user: str | None


def make_reference() -> str:
    """Return the reference of a new count, under which it can be applied once."""
    today = utc_now().astimezone(settings().zone).date()
    return f"COUNT-{today:%Y-%m-%d}-{secrets.token_hex(4).upper()}"


def find_products(serial_numbers: Sequence[str]) -> dict[str, Any]:
    """Return the products of these serial numbers, by their folded ones: id, serial_number, title, quantity."""
    keys = {fold_key(text) for text in serial_numbers}
    columns = (Product.id, Product.serial_number, Product.serial_number_key, Product.title, Product.quantity)
    query = select(*columns).where(Product.serial_number_key.in_(keys))
    return {row.serial_number_key: row for row in db.session.execute(query)}


def apply_count(
    actor: User, reference: str, counted: Mapping[str, int], *, reason: str, seen: Mapping[str, int]
) -> CountResult:
    """Set the stock of products to what was counted, all of them or none.

    ``counted`` and ``seen`` (the quantities that the person was shown) are by serial number. Invalid says
    which serial number names no product any more, Conflict that this count was applied before.
    """
    require_role(actor, "editor")
    _check(reference, counted)
    rows = [
        CheckedRow(0, {"product": name, "counted": count, **({"reason": reason} if reason else {})})
        for name, count in counted.items()
    ]
    with write_transaction() as session:
        context = SaveContext(actor.id, SOURCE, all_or_nothing=True, ledger=StockLedger())
        _lock(session, context, reference, counted)
        plans = save_counts(session, rows, context, reference)
        problems = {
            plan.row.values["product"]: plan.row.problems[0].problem for plan in plans if plan.row.problems
        }
        if problems:
            raise Invalid(problems)
    moved = [
        plan.row.values["product"]
        for plan in plans
        if seen.get(plan.row.values["product"], plan.quantities[0]) != plan.quantities[0]
    ]
    corrected = sum(plan.action == "updated" for plan in plans)
    return CountResult(corrected, len(plans) - corrected, moved)


def _check(reference: str, counted: Mapping[str, int]) -> None:
    problem = None
    if not REFERENCE.fullmatch(reference):
        problem = Problem(N_("This count has no reference."), N_("Begin a new one."))
    elif not counted:
        problem = Problem(N_("Nothing was counted yet."), N_("Add the products that you counted."))
    elif len(counted) > LARGEST_LIST:
        problem = Problem(
            N_("A count by hand has at most %(limit)s products."),
            N_("Import a file for more."),
            limit=LARGEST_LIST,
        )
    if problem:
        raise Invalid({"": problem})


def _lock(session: Session, context: SaveContext, reference: str, counted: Mapping[str, int]) -> None:
    """Lock the products, and look under the lock whether a double click has applied this count already."""
    if context.ledger is not None:
        context.ledger.find(session, {fold_key(name) for name in counted})
    if session.execute(_select_movements(reference).limit(1)).first():
        raise Conflict(N_("This count was applied already."))


def get_count(reference: str) -> Sequence[Correction]:
    """Return the movements of a count, by product; NotFound when there are none."""
    found = [Correction(*row) for row in db.session.execute(_select_movements(reference).limit(LARGEST_LIST))]
    if not found:
        raise NotFound(reference)
    return found


def _select_movements(reference: str) -> Select[Any]:
    both = union_all(*(_select_of(model, reference) for model in (Inflow, Outflow))).subquery()
    return (
        select(
            both.c.resource,
            both.c.id,
            Product.id,
            Product.serial_number,
            Product.title,
            both.c.difference,
            both.c.reason,
            both.c.occurred_at,
            User.email,
        )
        .select_from(both)
        .join(Product, Product.id == both.c.product_id)
        .outerjoin(
            Change,
            (Change.resource == both.c.resource)
            & (Change.record_id == both.c.id)
            & (Change.action == "created"),
        )
        .outerjoin(User, User.id == Change.actor_id)
        .order_by(Product.title, Product.id)
    )


def _select_of(model: Any, reference: str) -> Select[Any]:
    name, sign = ("inflows", 1) if model is Inflow else ("outflows", -1)
    return select(
        literal(name).label("resource"),
        model.id,
        model.product_id,
        (model.quantity * sign).label("difference"),
        model.reason,
        model.occurred_at,
    ).where(model.reference_key == fold_key(reference), model.kind == "adjustment")
