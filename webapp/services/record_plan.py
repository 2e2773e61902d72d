"""What becomes of a row: decided in Python, in file order, before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from webapp.models.base import utc_now
from webapp.pipeline.check import CheckedRow, missing
from webapp.resources.base import N_
from webapp.resources.types import Problem
from webapp.services.record_missing import MissingRecord
from webapp.services.record_shape import Held, Key, Shape
from webapp.services.seen_keys import SeenKeys
from webapp.services.seen_prices import PRICES, SeenPrices, mark_of
from webapp.services.stock import DIRECTIONS, StockLedger

MODES = ("upsert", "create", "update")
EMPTY_CHOICES = ("keep", "clear")
REPEATED_CHOICES = ("error", "add_up")
REFERENCE_PREFIXES = {"inflows": "IN", "outflows": "OUT"}


Named = tuple[int, str]  # a record that a name may mean: its id, and the folded key of what it belongs to


def make_reference(resource_name: str, record_id: int) -> str:
    """Return the reference of a movement that was given none."""
    return f"{REFERENCE_PREFIXES[resource_name]}-{record_id}"


def _differs(stock: Any, said: Any) -> Problem:
    return Problem(
        N_("The stock is %(stock)s, the file says %(file)s."),
        N_("Record an inflow or outflow; a product's quantity is not edited."),
        stock=stock,
        file=said,
    )


def describe_shortfall(problem: Problem) -> Problem:
    """Say of pieces that had come in, and are to be taken back, that they are gone already."""
    return Problem(
        N_("Only %(left)s of %(product)s are left: without these %(wanted)s the stock falls below zero."),
        **problem.params,
    )


@dataclass
class SaveContext:
    """Who saves, from where, and how. With ``is_dry`` everything is checked and nothing written.

    ``empty`` says what an empty cell of a mapped column does to a record: ``keep`` its value or
    ``clear`` it, where it can be empty. ``repeated`` says what a movement is that stands twice in a
    file: an ``error``, or something to ``add_up``. ``create_missing`` names the reference fields
    whose records are created where there are none; ``will_create`` collects them, or in a dry run
    what they would be, by field and folded name.

    One context belongs to one job: ``seen`` knows the rows that came before, and in a dry run ``opened`` the stock
    with which they would have begun new products, ``prices`` those of movements to add up, and ``named`` what names
    mean, by field and folded name. With ``all_or_nothing`` a batch with a bad row sends no signals, because its caller
    rolls it back.
    """

    actor_id: int | None
    source: str
    job_id: int | None = None
    mode: str = "upsert"
    is_dry: bool = False
    ledger: StockLedger | None = None
    empty: str = "keep"
    repeated: str = "error"
    create_missing: frozenset[str] = frozenset()
    all_or_nothing: bool = False
    will_create: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: SeenKeys = field(default_factory=SeenKeys)
    opened: SeenKeys = field(default_factory=SeenKeys)
    prices: SeenPrices = field(default_factory=SeenPrices)
    named: dict[str, dict[str, Sequence[Named]]] = field(default_factory=dict)


class StockMove(NamedTuple):
    """Pieces added to a product, and its quantity before and after."""

    product_id: int
    delta: int
    quantities: tuple[int, int]


@dataclass(slots=True)
class Plan:
    """What becomes of one row: the record's columns before and after, and its stock effect.

    Nothing is told of a row of a file that is unchanged, as most are in one that comes again, but its id.
    ``needs`` are the records that are created before it, ``opened`` is the movement that brings a
    new product's quantity in, ``left`` what a movement does to the product that it is no longer of.
    """

    row: CheckedRow
    action: str
    record_id: int = 0
    before: dict[str, Any] | None = None
    after: dict[str, Any] = field(default_factory=dict)
    delta: int = 0
    product_id: int | None = None
    quantities: tuple[int, int] = (0, 0)
    opening: int = 0
    needs: tuple[MissingRecord, ...] = ()
    opened: "Plan | None" = None
    left: StockMove | None = None


class Planner:
    """Decides about one row after the other, each seeing what the ones before it did to the stock.

    ``existing`` are the records that the rows' keys name, ``lines`` where this job met a key before,
    ``opened`` the stock of products that a dry run has not created, and ``prices`` the marks of the
    prices of movements that it has not saved.
    """

    def __init__(
        self,
        shape: Shape,
        context: SaveContext,
        ledger: StockLedger,
        existing: Mapping[Key, Held],
        lines: Mapping[Key, int],
        opened: Mapping[Key, int] = MappingProxyType({}),
        prices: Mapping[tuple[Key, str], int] = MappingProxyType({}),
    ) -> None:
        self.shape = shape
        self.name = shape.resource.name
        self.context = context
        self.ledger = ledger
        self.existing = existing
        self.lines = lines
        self.opened = opened
        self.prices = prices
        self.blank = dict.fromkeys(shape.columns)
        self.direction = DIRECTIONS.get(self.name, 0)
        self.needed = {column for _, column in shape.required}
        # Where movements are added up, the price of each is known to the next one.
        has_prices = shape.is_movement and context.repeated == "add_up"
        self.may_be_same = context.mode != "create" and context.empty != "clear" and not has_prices
        self.now = utc_now().replace(microsecond=0)

    def plan(self, row: CheckedRow, key: Key | None) -> Plan:
        """Return what becomes of a row."""
        if row.problems:
            return Plan(row, "failed")
        held = self.existing.get(key) if key else None
        line = self.lines.get(key, 0) if key else 0
        if key and line and self.shape.is_movement:
            made = self._plan_repeated(row, key, self._read(held) if held else None, line)
        elif held:
            if self.may_be_same and self._is_same(row, held):
                return Plan(row, "unchanged", held[0])
            made = self._plan_update(row, self._read(held))
        elif line:  # a dry run: the earlier row would have saved it
            made = self._plan_again(row, self.opened.get(key) if key else None)
        else:
            made = self._plan_create(row)
        return self._move(made) if self.shape.is_movement and made.action != "failed" else made

    def _is_same(self, row: CheckedRow, held: Held) -> bool:
        """Whether the record has all that the row gives."""
        values = held[1:]
        return tuple(map(row.values.get, self.shape.columns, values)) == values

    def _read(self, held: Held) -> dict[str, Any]:
        return dict(zip(self.shape.held_columns, held, strict=True))

    def plan_change(self, row: CheckedRow, before: dict[str, Any]) -> Plan:
        """Return what becomes of a record that the row changes; the row may give it another key."""
        if self.shape.is_movement:
            self._fill_again(row, before)
        made = self._plan_update(row, before)
        return self._move(made) if self.shape.is_movement and made.action != "failed" else made

    def _fill_again(self, row: CheckedRow, before: dict[str, Any]) -> None:
        """What is filled in for a new movement is filled in for one whose value was taken away."""
        filled = {column: row.values.get(column) for column in self.shape.columns}
        filled["product_id"] = filled["product_id"] or before["product_id"]  # a row may leave it as it is
        self._fill_movement(filled)
        filled["reference"] = filled["reference"] or make_reference(self.name, before["id"])
        for item in self.shape.resource.writable_fields:
            if item.name in row.columns and filled[item.column] is not None:
                row.values[item.column] = filled[item.column]

    def _fail(self, row: CheckedRow, field_name: str, problem: Problem) -> Plan:
        row.add_problem(field_name, problem)
        return Plan(row, "failed")

    def _plan_create(self, row: CheckedRow) -> Plan:
        values = row.values
        if self.context.mode == "update":
            problem = Problem(N_("There is no such %(kind)s to update."), kind=self.shape.resource.label)
            return self._fail(row, self.shape.resource.key[0], problem)
        if not self.needed <= values.keys():
            for item, column in self.shape.required:
                if column not in values:
                    row.add_problem(item.name, missing(item))
            return Plan(row, "failed")
        after = self.blank | values
        for name in self.shape.beside:
            after.pop(name, None)
        made = Plan(row, "created", after=after)
        if self.name == "products":
            made.opening, after["quantity"] = after["quantity"] or 0, 0
            after["reorder_level"] = after["reorder_level"] or 0
        elif self.shape.is_movement:
            self._fill_movement(after)
        return made

    def _fill_movement(self, after: dict[str, Any]) -> None:
        if after["occurred_at"] is None:
            after["occurred_at"] = self.now
        if after["kind"] is None:
            after["kind"] = "purchase" if self.name == "inflows" else "sale"
        if after["unit_cost"] is None:
            after["unit_cost"] = self.ledger.get_product(after["product_id"]).cost_price
        if "unit_price" in after and after["unit_price"] is None:
            after["unit_price"] = self.ledger.get_product(after["product_id"]).sell_price

    def _plan_update(self, row: CheckedRow, before: dict[str, Any]) -> Plan:
        if self.context.mode == "create":
            problem = Problem(N_("There is already such a %(kind)s."), kind=self.shape.resource.label)
            return self._fail(row, self.shape.resource.reference_field, problem)
        columns = self.shape.columns
        held = list(map(before.__getitem__, columns))
        given = list(map(row.values.get, columns, held))
        is_clearing = self.context.empty == "clear"
        if given == held and not is_clearing:
            return Plan(row, "unchanged", before["id"], before, before)
        after = dict(zip(columns, given, strict=True))
        if is_clearing and not self._clear(row, after):
            return Plan(row, "failed")
        if self.name == "products" and after["quantity"] != before["quantity"]:
            return self._fail(row, "quantity", _differs(before["quantity"], after["quantity"]))
        is_same = after.items() <= before.items()
        return Plan(row, "unchanged" if is_same else "updated", before["id"], before, after)

    def _clear(self, row: CheckedRow, after: dict[str, Any]) -> bool:
        """Empty what the file leaves empty; return whether the row may. What cannot be empty stays."""
        for item in self.shape.resource.writable_fields:
            if item.column in row.values or item.name not in row.columns:
                continue
            if item.required:
                row.add_problem(item.name, missing(item))
            elif item.column in self.shape.emptied:
                after[item.column] = self.shape.emptied[item.column]
        return not row.problems

    def _plan_again(self, row: CheckedRow, opened: int | None) -> Plan:
        if self.context.mode == "create":
            problem = Problem(N_("There is already such a %(kind)s."), kind=self.shape.resource.label)
            return self._fail(row, self.shape.resource.reference_field, problem)
        said = row.values.get("quantity")
        if self.name == "products" and None not in (opened, said) and opened != said:
            return self._fail(row, "quantity", _differs(opened, said))
        return Plan(row, "updated", after=dict(row.values))

    def _plan_repeated(self, row: CheckedRow, key: Key, before: dict[str, Any] | None, line: int) -> Plan:
        """A movement that this job has met before: an error, or more pieces of the same."""
        if self.context.repeated == "error":
            problem = Problem(
                N_("The same reference and product stand on line %(line)s."),
                N_("Remove one of the two, or add them up."),
                line=line,
            )
            return self._fail(row, self.shape.resource.key[0], problem)
        if "quantity" not in row.values:
            return self._fail(row, "quantity", missing(self.shape.resource.get_field("quantity")))
        for name in PRICES:
            if name in row.values and self._is_another_price(row.values[name], name, key, before):
                problem = Problem(
                    N_("Line %(line)s has the same reference and product at another price."),
                    N_("Give one of the two another reference: what is added up has one price."),
                    line=line,
                )
                return self._fail(row, name, problem)
        if before is None:  # a dry run: the earlier row has saved nothing
            return Plan(row, "updated", after=dict(row.values))
        after = {column: before[column] for column in self.shape.columns}
        after["quantity"] += row.values["quantity"]
        return Plan(row, "updated", before["id"], before, after)

    def _is_another_price(self, price: Any, name: str, key: Key, before: dict[str, Any] | None) -> bool:
        if self.context.is_dry:  # what is stored may be older than what the earlier row says
            return mark_of(price) != self.prices[key, name]
        return before is not None and price != before[name]

    def _move(self, plan: Plan) -> Plan:
        before, after, direction = plan.before, plan.after, self.direction
        already = before["quantity"] if before else 0
        plan.product_id = after["product_id"]
        try:
            if before and before["product_id"] != plan.product_id:
                plan.left = self._leave(before["product_id"], -direction * already)
                already = 0
            plan.delta = direction * (after["quantity"] - already)
            if plan.delta:
                plan.quantities = self.ledger.move(plan.product_id, plan.delta)
        except Problem as problem:
            if before and direction > 0:
                problem = describe_shortfall(problem)
            return self._fail(plan.row, "quantity", problem)
        return plan

    def _leave(self, product_id: int, delta: int) -> StockMove:
        return StockMove(product_id, delta, self.ledger.move(product_id, delta))
