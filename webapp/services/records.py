"""Saving records: the one path of a form (a batch of one), the API and an import.

Each row is checked, has its stock effect and sends its signals, in file order; the SQL is batched.
A bad row never takes its neighbours with it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from blinker import NamedSignal
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from webapp.pipeline.check import CheckedRow
from webapp.resources.base import N_, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import Problem
from webapp.services.record_lookup import find_existing, find_lines_of_job
from webapp.services.record_missing import MissingRecord, fill_in_missing, forget_missing, note_missing
from webapp.services.record_plan import (
    EMPTY_CHOICES,
    MODES,
    REPEATED_CHOICES,
    Plan,
    Planner,
    SaveContext,
    StockMove,
)
from webapp.services.record_references import resolve_references
from webapp.services.record_shape import Held, Key, get_shape
from webapp.services.record_write import allocate_ids, write_openings, write_plans
from webapp.services.signals import record_saved, rows_saved, stock_moved
from webapp.services.stock import StockLedger

__all__ = [
    "EMPTY_CHOICES",
    "MODES",
    "REPEATED_CHOICES",
    "Plan",
    "SaveContext",
    "allocate_ids",
    "save_rows",
    "send_signals",
]

CHANGING = frozenset({"created", "updated"})

KeyedRow = tuple[CheckedRow, Key | None]


def save_rows(
    session: Session, resource: Resource, rows: Sequence[CheckedRow], context: SaveContext
) -> list[Plan]:
    """Save a batch inside the caller's write transaction and return what became of each row, in order.

    A row with problems has the action ``failed`` and keeps them in ``row.problems``.
    """
    batch = _Batch(session, resource, context)
    plans = batch.save(rows)
    is_lost = context.all_or_nothing and any(plan.action == "failed" for plan in plans)
    if not context.is_dry and not is_lost:
        send_signals(session, resource, plans, context)
        if any(map(_is_change, plans)):
            rows_saved.send(resource.name, save=context, session=session)
    return plans


class _Batch:
    """The rows of one transaction, with what the database says about them.

    Whatever has to be locked is locked at the beginning, in order of the ids, so that two imports of
    the same records may wait for each other, but never both.
    """

    def __init__(
        self,
        session: Session,
        resource: Resource,
        context: SaveContext,
        ledger: StockLedger | None = None,
    ) -> None:
        self.session = session
        self.shape = get_shape(resource)
        self.context = context
        self.ledger = ledger or context.ledger or StockLedger(is_dry=context.is_dry)
        self.existing: dict[Key, Held] = {}
        self.lines: dict[Key, int] = {}
        self.opened: dict[Key, int] = {}
        self.prices: dict[tuple[Key, str], int] = {}
        self.has_repeats = False
        self.has_seen = context.is_dry or (self.shape.is_movement and context.job_id is not None)
        self.has_prices = context.is_dry and self.shape.is_movement and context.repeated == "add_up"

    def save(self, rows: Sequence[CheckedRow]) -> list[Plan]:
        """Save the rows, in groups in which no key comes twice."""
        groups = _split_at_repeats(self._look_up(rows))
        self.has_repeats = len(groups) > 1
        return [plan for group in groups for plan in self._save_group(group)]

    def _look_up(self, rows: Sequence[CheckedRow]) -> list[KeyedRow]:
        """Resolve references and find the records that the rows' keys name."""
        good = [row for row in rows if not row.problems]
        resolve_references(self.session, self.shape, good, self.context, self.ledger)
        named = self.shape.keys_of([row.values for row in rows])
        keyed = [(row, None if row.problems else key) for row, key in zip(rows, named, strict=True)]
        keys = self._list_known(key for _, key in keyed)
        if self.existing:
            for key in keys:
                self.existing.pop(key, None)
        found = find_existing(self.session, self.shape, keys, lock=not self.context.is_dry)
        self.existing |= found
        if self.has_seen:
            self.lines |= self.context.seen.find(keys)
            self.opened |= self.context.opened.find(keys)
            if self.has_prices:
                self.prices |= self.context.prices.find(keys)
            if found and self.context.job_id is not None and not self.context.is_dry:
                self.lines |= find_lines_of_job(self.session, self.shape, self.context.job_id, found)
        return keyed

    def _list_known(self, keys: Iterable[Key | None]) -> list[Key]:
        """Return the different keys in which no part is a record that does not exist yet."""
        wanted = dict.fromkeys(keys)
        wanted.pop(None, None)
        known: Any = wanted
        if self.context.create_missing:
            known = [key for key in wanted if key and not any(type(part) is MissingRecord for part in key)]
        return list(known)

    def _save_group(self, group: list[KeyedRow], *, is_last_try: bool = False) -> list[Plan]:
        if self.context.is_dry:
            plans = self._plan(group)
        else:
            problems = [len(row.problems) for row, _ in group]
            quantities = self.ledger.remember()
            try:
                with self.session.begin_nested():
                    plans = self._plan(group)
                    self._write(plans)
            except (IntegrityError, DataError) as error:
                self.ledger.restore(quantities)
                for (row, _), count in zip(group, problems, strict=True):
                    del row.problems[count:]
                    forget_missing(row)
                return self._try_again([row for row, _ in group], error, is_last_try=is_last_try)
        self._remember(group, plans)
        return plans

    def _try_again(self, rows: list[CheckedRow], error: Exception, *, is_last_try: bool) -> list[Plan]:
        """Save what the database has refused in halves; a single row gets one more try.

        Another transaction may have saved the same record meanwhile, so everything is looked up anew.
        """
        if is_last_try:
            return [_refuse(rows[0], error)]
        if len(rows) == 1:
            return self._save_group(self._look_up(rows), is_last_try=True)
        middle = len(rows) // 2
        halves = (rows[:middle], rows[middle:])
        return [plan for half in halves for plan in self._save_group(self._look_up(half))]

    def _plan(self, group: list[KeyedRow]) -> list[Plan]:
        planner = Planner(
            self.shape, self.context, self.ledger, self.existing, self.lines, self.opened, self.prices
        )
        plans = [planner.plan(row, key) for row, key in group]
        if self.context.create_missing:
            note_missing(plans, self.context)
            if self.context.is_dry:
                for plan in plans:
                    fill_in_missing(plan.after)
        return plans

    def _remember(self, group: list[KeyedRow], plans: list[Plan]) -> None:
        """Let later rows of the job meet what these have saved."""
        if not self.has_repeats and not self.has_seen:
            return
        made = {key: plan for (_, key), plan in zip(group, plans, strict=True) if plan.action != "failed"}
        taken = {key: made[key] for key in self._list_known(made)}
        if self.has_repeats and not self.context.is_dry:
            for key, plan in taken.items():
                if _is_change(plan):
                    after = plan.after | {"quantity": plan.opening} if plan.opening else plan.after
                    self.existing[key] = self.shape.hold(plan.record_id, after)
        if self.has_seen:
            new = {key: plan for key, plan in taken.items() if key not in self.lines}
            if self.has_prices:
                self.prices |= self.context.prices.add((key, plan.after) for key, plan in new.items())
            lines = {key: plan.row.line for key, plan in new.items()}
            # What was written is known by the job's changes: a million keys need not be kept for it.
            kept = (
                lines if self.context.is_dry else {key: lines[key] for key in new if not _is_change(new[key])}
            )
            self.context.seen.add(kept)
            if self.has_repeats:
                self.lines |= lines
        if self.context.is_dry and self.shape.resource.name == "products":
            opened = {key: plan.opening for key, plan in taken.items() if plan.action == "created"}
            self.context.opened.add(opened)
            self.opened |= opened

    def _write(self, plans: list[Plan]) -> None:
        if self.context.create_missing:
            for plan in plans:
                for missing in plan.needs:
                    self._write_missing(missing)
                fill_in_missing(plan.after)
        write_plans(self.session, self.shape, plans, self.context, self.ledger)
        openings = [plan for plan in plans if plan.opening]
        if openings:
            write_openings(self.session, openings, self.context, self.ledger)

    def _write_missing(self, missing: MissingRecord) -> None:
        context = replace(self.context, mode="upsert", create_missing=frozenset())
        batch = _Batch(self.session, get_resource(missing.resource), context, self.ledger)
        fill_in_missing(missing.values)
        (made,) = batch.save([CheckedRow(missing.line, dict(missing.values))])
        if made.action == "failed":
            reason = str(made.row.problems[0].problem)
            raise IntegrityError(reason, None, ValueError(reason))
        missing.plan = made


def _is_change(plan: Plan) -> bool:
    return plan.action in CHANGING


def _split_at_repeats(rows: Sequence[KeyedRow]) -> list[list[KeyedRow]]:
    """Cut where a key comes again, so that the later row meets what the earlier one has saved."""
    named = [key for _, key in rows if key is not None]
    if len(set(named)) == len(named):
        return [list(rows)]
    groups: list[list[KeyedRow]] = []
    group: list[KeyedRow] = []
    keys: set[Key] = set()
    for keyed in rows:
        key = keyed[1]
        if key in keys:
            groups.append(group)
            group, keys = [], set()
        if key is not None:
            keys.add(key)
        group.append(keyed)
    groups.append(group)
    return groups


def _refuse(row: CheckedRow, error: Exception) -> Plan:
    reason = str(getattr(error, "orig", error)).splitlines()[0]
    row.add_problem("", Problem(N_("The database refused the row: %(reason)s."), reason=reason))
    return Plan(row, "failed")


def send_signals(session: Session, resource: Resource, plans: list[Plan], context: SaveContext) -> None:
    """Tell of every saved row, in file order; of what came with it just before and just after it."""
    teller = _Teller(session, context)
    for plan in plans:
        for missing in plan.needs:
            if missing.plan:
                teller.tell(missing.resource, missing.plan)
        teller.tell(resource.name, plan)
        if plan.opened:
            teller.tell("inflows", plan.opened)


class _Teller:
    """Sends the signals of one batch to those who listened when it began.

    Blinker's own ``send`` looks for them anew for every row (measured: a sixth of an import's time).
    """

    def __init__(self, session: Session, context: SaveContext) -> None:
        self.session = session
        self.context = context
        self.listeners: dict[tuple[str, str], list[Callable[..., Any]]] = {}

    def tell(self, resource: str, plan: Plan) -> None:
        """Send what happened to one row."""
        if plan.action not in {"created", "updated"}:
            return
        for listener in self._find(record_saved, resource):
            listener(
                resource,
                record_id=plan.record_id,
                action=plan.action,
                before=plan.before,
                after=plan.after,
                save=self.context,
                line=plan.row.line,
                session=self.session,
            )
        if plan.left:
            self._tell_moved(resource, plan, plan.left)
        if plan.delta and plan.product_id:
            self._tell_moved(resource, plan, StockMove(plan.product_id, plan.delta, plan.quantities))

    def _tell_moved(self, resource: str, plan: Plan, moved: StockMove) -> None:
        for listener in self._find(stock_moved, resource):
            listener(
                resource,
                product_id=moved.product_id,
                delta=moved.delta,
                before=moved.quantities[0],
                after=moved.quantities[1],
                record_id=plan.record_id,
                line=plan.row.line,
                session=self.session,
            )

    def _find(self, signal: NamedSignal, resource: str) -> list[Callable[..., Any]]:
        key = signal.name, resource
        if key not in self.listeners:
            self.listeners[key] = [] if signal.is_muted else list(signal.receivers_for(resource))
        return self.listeners[key]
