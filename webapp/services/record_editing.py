"""One record by a form: created or changed, checked and written as the rows of an import are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.errors import Conflict, Invalid, NotFound, Outdated
from webapp.models import Change, Product, User
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import N_, Resource
from webapp.resources.types import Problem, fold_key
from webapp.services import queries
from webapp.services.accounts import require_role
from webapp.services.record_drafts import Draft, list_form_fields, list_problems, read_draft
from webapp.services.record_lookup import find_existing
from webapp.services.record_plan import Plan, Planner, SaveContext
from webapp.services.record_references import resolve_references
from webapp.services.record_shape import get_shape
from webapp.services.record_write import write_plans
from webapp.services.records import save_rows, send_signals
from webapp.services.signals import rows_saved
from webapp.services.stock import StockLedger

SOURCE = "form"


@dataclass(frozen=True)
class Snapshot:
    """A record as a form showed it: its version, and each field's text as a file would have it."""

    version: int
    texts: Mapping[str, str]


class EditConflict(Conflict):
    """Somebody else changed the record meanwhile; ``current`` is what it is now."""

    def __init__(self, current: Snapshot) -> None:
        super().__init__(N_("Somebody else has changed this record meanwhile."))
        self.current = current


@dataclass(frozen=True)
class LastChange:
    """Who changed a record last, and when; nobody for what the house did by itself."""

    email: str | None
    at: Any


def get_values(resource: Resource, record_id: int) -> Mapping[str, Any]:
    """Return a record's values by field name, with its version; NotFound when there is none."""
    record = queries.get_record(resource, record_id)
    if record is None:
        raise NotFound(record_id)
    values: Mapping[str, Any] = record._mapping  # noqa: SLF001 - public in fact: a row's mapping by name
    return values


def take_snapshot(resource: Resource, values: Mapping[str, Any]) -> Snapshot:
    """Return what a form has to remember of the record that it shows."""
    fields = list_form_fields(resource, is_new=False)
    return Snapshot(
        values["version"], {field.name: field.type.format(values[field.name]) for field in fields}
    )


def list_differences(one: Snapshot, other: Snapshot) -> list[str]:
    """Return the names of the fields that differ. A product's version also counts its movements."""
    return [name for name in other.texts if one.texts.get(name) != other.texts[name]]


def create_record(actor: User, resource: Resource, draft: Draft) -> Plan:
    """Save a new record and return what became of it; Invalid says what is wrong, field by field."""
    require_role(actor, "editor")
    row = read_draft(resource, draft, is_new=True)
    context = SaveContext(actor.id, SOURCE, mode="create")
    with write_transaction() as session:
        if row.problems:  # what the database has to say besides, at once
            resolve_references(session, get_shape(resource), [row], context, StockLedger())
            raise Invalid(list_problems(row))
        (plan,) = save_rows(session, resource, [row], context)
        if plan.action == "failed":
            raise Invalid(list_problems(row))
    return plan


def update_record(actor: User, resource: Resource, record_id: int, draft: Draft, seen: Snapshot) -> Plan:
    """Change a record as a draft says and return what became of it.

    ``seen`` is what the person had before them. Invalid says what is wrong with the draft, EditConflict
    that somebody else has changed what the form shows, NotFound that the record is gone.
    """
    require_role(actor, "editor")
    with write_transaction() as session:
        editing = Editing(session, resource, record_id, SaveContext(actor.id, SOURCE, empty="clear"))
        return editing.save_draft(draft, seen)


class Editing:
    """One record on its way from what it was to what a draft or a row says, in the caller's write transaction."""

    def __init__(self, session: Session, resource: Resource, record_id: int, context: SaveContext) -> None:
        self.session = session
        self.resource = resource
        self.record_id = record_id
        self.context = context
        self.shape = get_shape(resource)
        self.ledger = StockLedger()

    def save_draft(self, draft: Draft, seen: Snapshot) -> Plan:
        """Make the record what the draft says; EditConflict when the person saw another one."""
        before = self._lock(draft.texts.get("product", ""))
        values = get_values(self.resource, self.record_id)
        current = take_snapshot(self.resource, values)
        if current.version != seen.version and list_differences(seen, current):
            raise EditConflict(current)
        return self._save(read_draft(self.resource, draft, is_new=False, stored=values), before)

    def save_row(self, row: CheckedRow, version: int | None) -> Plan:
        """Change what the row gives, and empty what it gives as nothing; Outdated unless it is at this version."""
        before = self._lock(row.values.get("product", ""))
        if version is not None and before["version"] != version:
            raise Outdated(N_("Somebody else has changed this record meanwhile."))
        return self._save(row, before)

    def _save(self, row: CheckedRow, before: dict[str, Any]) -> Plan:
        resolve_references(self.session, self.shape, [row], self.context, self.ledger)
        self._refuse(row)
        plan = Planner(self.shape, self.context, self.ledger, {}, {}).plan_change(row, before)
        self._check_key(row, plan)
        self._refuse(row)
        if plan.action == "updated":
            self._write(plan)
        return plan

    def _lock(self, product: str) -> dict[str, Any]:
        """Lock products before their movement and in order of their ids, as the saving of rows does.

        Of a movement this is the one that it may be given to, and the one that it is of.
        """
        table = self.shape.table
        if self.shape.is_movement:
            key = fold_key(product)
            wanted = select(Product.id).where(
                (Product.serial_number_key == key)
                | Product.id.in_(select(table.c.product_id).where(table.c.id == self.record_id))
            )
            self.ledger.load(self.session, self.session.scalars(wanted))
        query = select(table).where(table.c.id == self.record_id).with_for_update()
        found = self.session.execute(query).mappings().one_or_none()
        if found is None:
            raise NotFound(self.record_id)
        if self.shape.is_movement:
            self.ledger.load(self.session, [found["product_id"]])
        return {name: found[name] for name in ("id", "version", *self.shape.columns)}

    def _check_key(self, row: CheckedRow, plan: Plan) -> None:
        """Refuse the key of another record."""
        key = self.shape.key_of(plan.after) if plan.after else None
        found = find_existing(self.session, self.shape, [key], lock=False) if key else {}
        if any(held[0] != self.record_id for held in found.values()):
            row.add_problem(self.resource.reference_field, self._describe_taken())

    def _describe_taken(self) -> Problem:
        return Problem(N_("There is already such a %(kind)s."), kind=self.resource.label)

    def _refuse(self, row: CheckedRow) -> None:
        if row.problems:
            raise Invalid(list_problems(row))

    def _write(self, plan: Plan) -> None:
        try:
            with self.session.begin_nested():
                write_plans(self.session, self.shape, [plan], self.context, self.ledger)
        except IntegrityError:  # another transaction has taken the key meanwhile
            raise Invalid({self.resource.reference_field: self._describe_taken()}) from None
        send_signals(self.session, self.resource, [plan], self.context)
        rows_saved.send(self.resource.name, save=self.context, session=self.session)


def find_last_change(session: Session, resource: Resource, record_id: int) -> LastChange | None:
    """Return who changed a record last, if that is known."""
    query = (
        select(User.email, Change.at)
        .select_from(Change)
        .outerjoin(User, Change.actor_id == User.id)
        .where(Change.resource == resource.name, Change.record_id == record_id)
        .order_by(Change.id.desc())
        .limit(1)
    )
    found = session.execute(query).one_or_none()
    return LastChange(found.email, found.at) if found else None
