"""References: the names that rows give become the ids of records, or those records are to be created."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.pipeline.check import CheckedRow
from webapp.resources.base import N_, Field, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import Problem, Reference, fold_key, fold_keys
from webapp.services.bulk import join_values
from webapp.services.record_missing import MissingRecord
from webapp.services.record_plan import Named, SaveContext
from webapp.services.record_shape import Shape, get_table
from webapp.services.stock import StockLedger

KEPT_NAMES = 20_000  # of each field of a dry run: 5 MB
NEVER_CREATED = frozenset({"products"})  # a name alone makes no product


def resolve_references(
    session: Session, shape: Shape, rows: Sequence[CheckedRow], context: SaveContext, ledger: StockLedger
) -> None:
    """Put ``<field>_id`` beside each reference that a row names; what is not found is the row's problem.

    Where the context says so it becomes a MissingRecord instead. The products of movements come from
    the ledger, which locks them on the way.
    """
    for item in shape.references:
        texts = {row.values[item.name] for row in rows if item.name in row.values}
        if texts:
            twins = dict(zip(texts, fold_keys(list(texts)), strict=True))
            _Resolver(session, item, context, ledger).resolve(rows, twins)


class _Resolver:
    """One reference field of a batch."""

    def __init__(self, session: Session, item: Field, context: SaveContext, ledger: StockLedger) -> None:
        self.session = session
        self.field = item
        self.context = context
        self.ledger = ledger
        reference: Any = item.type
        self.type: Reference = reference
        self.target: Resource = get_resource(self.type.resource)
        self.may_create = item.name in context.create_missing and self.target.name not in NEVER_CREATED
        self.missing: dict[tuple[Any, ...], MissingRecord] = {}
        self.parents: dict[str, int | MissingRecord | None] = {}

    def resolve(self, rows: Sequence[CheckedRow], folded: Mapping[str, str]) -> None:
        """Resolve this field in all rows; ``folded`` is the twin of each text."""
        name, column = self.field.name, self.field.column
        is_product = self.target.name == "products"
        wanted = set(folded.values())
        found: Mapping[str, Any] = (
            self.ledger.find(self.session, wanted) if is_product else self._find_or_remember(wanted)
        )
        scope = self.type.scope
        known: dict[Any, int] = {}  # what a text means comes again and again
        for row in rows:
            values = row.values
            text = values.get(name)
            if text is None:
                continue
            meant = (text, values.get(scope)) if scope else text
            if (known_id := known.get(meant)) is not None:
                values[column] = known_id
                continue
            match = found.get(folded[text])
            value = match if is_product else self._choose(row, folded[text], match or ())
            if value is not None:
                values[column] = value
                if type(value) is int:
                    known[meant] = value
            elif is_product:
                row.add_problem(name, self._not_found(text))

    def _find_or_remember(self, wanted: set[str]) -> Mapping[str, Sequence[Named]]:
        """Ask for each name once in a dry run, as long as they are few."""
        if not self.context.is_dry:
            return self._find(wanted)
        known = self.context.named.setdefault(self.field.name, {})
        if len(known) > KEPT_NAMES:
            known.clear()
        new = wanted - known.keys()
        if new:
            known |= dict.fromkeys(new, ())
            known |= self._find(new)
        return known

    def _find(self, wanted: set[str]) -> dict[str, list[Named]]:
        """Return ``{folded key: [(id, folded key of its scope)]}``."""
        table = get_table(self.target)
        key = table.c[f"{self.target.reference_field}_key"]
        join = join_values(self.session, key, values=[(value,) for value in wanted])
        query: Any = select(key, table.c.id).select_from(table).join(join.table, join.condition)
        if self.type.scope:
            parent = self._parent()
            above = get_table(parent)
            query = query.add_columns(above.c[f"{parent.reference_field}_key"])
            query = query.join(above, table.c[self._scope().column] == above.c.id)
        found: dict[str, list[Named]] = defaultdict(list)
        for row in self.session.execute(query, join.parameters):
            found[row[0]].append((row[1], row[2] if self.type.scope else ""))
        return found

    def _scope(self) -> Field:
        return self.target.get_field(self.type.scope)

    def _parent(self) -> Resource:
        scope: Any = self._scope().type
        return get_resource(scope.resource)

    def _choose(self, row: CheckedRow, twin: str, candidates: Sequence[Named]) -> int | MissingRecord | None:
        """Return the record's id or the record that is to be created; or None, and the row says why."""
        scope = row.values.get(self.type.scope) if self.type.scope else None
        if scope is not None:
            scope_twin = fold_key(scope)
            candidates = [item for item in candidates if item[1] == scope_twin]
        if len(candidates) == 1:
            return candidates[0][0]
        text = row.values[self.field.name]
        if candidates:
            row.add_problem(self.field.name, self._ambiguous(text))
            return None
        if self.may_create:
            return self._create(row, twin, scope)
        row.add_problem(self.field.name, self._not_found(text))
        return None

    def _create(self, row: CheckedRow, twin: str, scope: str | None) -> MissingRecord | None:
        """Return the record to be created, the same one for every row that names it."""
        text = row.values[self.field.name]
        if not self.type.scope:
            return self._make_missing((twin,), {self.target.reference_field: text}, row)
        if scope is None:
            row.add_problem(self.field.name, self._without_scope(text))
            return None
        parent = self._find_parent(row, scope)
        if parent is None:
            row.add_problem(self.type.scope, _no_such(self._parent(), scope))
            return None
        values = {self.target.reference_field: text, self._scope().column: parent}
        return self._make_missing((twin, fold_key(scope)), values, row)

    def _make_missing(self, key: tuple[str, ...], values: dict[str, Any], row: CheckedRow) -> MissingRecord:
        if key not in self.missing:
            self.missing[key] = MissingRecord(
                self.target.name, self.field.name, row.values[self.field.name], values, row.line
            )
        return self.missing[key]

    def _find_parent(self, row: CheckedRow, scope: str) -> int | MissingRecord | None:
        """Return the record in whose scope another one is created, by its id or to be created first."""
        parent, twin = self._parent(), fold_key(scope)
        if twin not in self.parents:
            table = get_table(parent)
            query = select(table.c.id).where(table.c[f"{parent.reference_field}_key"] == twin)
            self.parents[twin] = self.session.scalar(query)
            if self.parents[twin] is None and self.type.scope in self.context.create_missing:
                values = {parent.reference_field: scope}
                self.parents[twin] = MissingRecord(parent.name, self.type.scope, scope, values, row.line)
        return self.parents[twin]

    def _not_found(self, text: str) -> Problem:
        return _no_such(self.target, text)

    def _ambiguous(self, text: str) -> Problem:
        return Problem(
            N_("There is more than one %(kind)s “%(value)s”."),
            N_("Say which one with the column “%(scope)s”."),
            kind=self.target.label,
            value=text,
            scope=self.type.scope,
        )

    def _without_scope(self, text: str) -> Problem:
        return Problem(
            N_("There is no %(kind)s “%(value)s”."),
            N_("To have it created, name the one that it belongs to in the column “%(scope)s”."),
            kind=self.target.label,
            value=text,
            scope=self.type.scope,
        )


def _no_such(target: Resource, text: str) -> Problem:
    return Problem(
        N_("There is no %(kind)s “%(value)s”."),
        N_("Create it first, or correct the name."),
        kind=target.label,
        value=text,
    )
