"""A shop that looks real, made up at random: to try things, to show them, and to measure with.

The same seed (and moment) makes the same shop. Everything is written in batches, each in its own
short transaction after which every product's quantity is the sum of its movements, so that pages
and jobs go on working meanwhile and a load that is killed leaves a sound, smaller shop. It is no
history of saving: no signals are sent and no changes recorded.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.extensions import db, settings
from webapp.models import Product
from webapp.models.base import utc_now
from webapp.resources.base import N_, Resource
from webapp.resources.derived import derived_columns
from webapp.resources.registry import get_resource
from webapp.resources.types import Problem
from webapp.services.demo_catalogue import DEPARTMENTS, TRADERS, lines_of
from webapp.services.demo_rows import iterate_movement_rows, supplier_row
from webapp.services.demo_write import Ids, Pace, Row, Writer, gather_statistics, move_stock
from webapp.services.product_moves import note_moves

if TYPE_CHECKING:
    from webapp.services.demo_goods import Goods
    from webapp.services.demo_trade import Trade

Progress = Callable[[int, int], None]


def load_demo(
    products: int,
    movements: int,
    seed: int,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> dict[str, int]:
    """Fill an empty shop, gather figures about it, and return how many records of each resource are new.

    As :func:`write_demo`.
    """
    counts = write_demo(products, movements, seed, progress, now)
    note_moves()
    gather_statistics()
    return counts


def write_demo(
    products: int,
    movements: int,
    seed: int,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> dict[str, int]:
    """Fill an empty shop and return how many records of each resource are new.

    ``movements`` counts purchases, sales and adjustments in the half year until ``now``; the opening
    stock comes in addition, at most one inflow a product. ``progress`` is told how many products and
    movements are written, of how many. Problem when the shop has products already.
    """
    if products < 1 or movements < 0:
        raise Problem(N_("A shop has at least one product, and no less than 0 movements."))
    if db.session.scalar(select(Product.id).limit(1)) is not None:
        raise Problem(
            N_("The shop already has products."),
            N_("Demo data goes into an empty shop only: start with a new database."),
        )
    # Here and not above: they bring numpy, which the web process is to be spared.
    import numpy as np  # noqa: PLC0415

    from webapp.services.demo_calendar import DAYS  # noqa: PLC0415
    from webapp.services.demo_goods import Goods  # noqa: PLC0415
    from webapp.services.demo_trade import Trade  # noqa: PLC0415

    rng = np.random.default_rng(seed)
    goods = Goods(rng, products, DAYS)
    trade = Trade(rng, goods, movements, now or utc_now(), settings().zone)
    return _Loader(goods, trade, progress, products + movements).load()


class _Loader:
    """Writes what was made up, parents first."""

    def __init__(self, goods: "Goods", trade: "Trade", progress: Progress | None, total: int) -> None:
        self.goods = goods
        self.trade = trade
        self.opened_at = trade.calendar.opened_at
        self.progress = progress
        self.total = total
        self.done = 0
        self.writer = Writer()
        self.product_ids: list[int] = []

    def load(self) -> dict[str, int]:
        self._write_catalogue()
        self._write_products()
        self._write_movements()
        names = ("categories", "brands", "product_models", "suppliers", "products", "inflows", "outflows")
        return {name: self.writer.counts[name] for name in names}

    def _write_catalogue(self) -> None:
        categories = [{"name": item.name, "description": item.description} for item in DEPARTMENTS]
        names = sorted({brand for department in DEPARTMENTS for brand in department.brands})
        with write_transaction() as session:
            self.categories = self._find_or_insert(session, "categories", categories)
            self.brands = self._find_or_insert(session, "brands", [{"name": name} for name in names])
            self.suppliers = self._find_or_insert(
                session, "suppliers", [supplier_row(item) for item in TRADERS]
            )
            lines = [
                {"name": line, "brand_id": self.brands[name,]} for name in names for line in lines_of(name)
            ]
            self.models = self._find_or_insert(session, "product_models", lines)

    def _find_or_insert(self, session: Session, name: str, rows: list[Row]) -> Ids:
        return self.writer.find_or_insert(session, get_resource(name), rows, self.opened_at)

    def _write_products(self) -> None:
        """Write the products, each batch together with its opening stock."""
        resource = get_resource("products")
        pace = Pace()
        stock = zip(self.trade.opening.tolist(), self.trade.reorder_level.tolist(), strict=True)
        records = zip(self.goods.iterate_records(), stock, strict=True)
        while batch := [
            self._product(resource, record, *stock) for record, stock in islice(records, pace.rows)
        ]:
            with write_transaction() as session:
                started = time.monotonic()  # here and not above: waiting for the lock says nothing about pace
                self.writer.insert(session, resource, batch, self.opened_at)
                openings = [self._opening(row) for row in batch if row["quantity"]]
                self.writer.insert(session, get_resource("inflows"), openings)
            pace.learn(time.monotonic() - started)
            self.product_ids += [row["id"] for row in batch]
            self._tell(len(batch))

    def _product(self, resource: Resource, record: Row, opening: int, reorder_level: int) -> Row:
        brand, line, category = (record.pop(name) for name in ("brand", "line", "category"))
        return {
            **record,
            **derived_columns(resource, record),
            "category_id": self.categories[category,],
            "product_model_id": self.models[self.brands[brand,], line] if brand else None,
            "quantity": opening,
            "reorder_level": reorder_level,
        }

    def _opening(self, product: Row) -> Row:
        return {
            "product_id": product["id"],
            "quantity": product["quantity"],
            "unit_cost": product["cost_price"],
            "kind": "opening",
            "occurred_at": self.opened_at,
        }

    def _write_movements(self) -> None:
        pace = Pace()
        rows = self._iterate_movements()
        while batch := list(islice(rows, pace.rows)):
            deltas: Counter[int] = Counter()
            for direction, row in batch:
                deltas[row["product_id"]] += direction * row["quantity"]
            ins = [row for direction, row in batch if direction > 0]
            outs = [row for direction, row in batch if direction < 0]
            with write_transaction() as session:
                started = time.monotonic()
                self.writer.insert(session, get_resource("inflows"), ins)
                self.writer.insert(session, get_resource("outflows"), outs)
                move_stock(session, deltas)
            pace.learn(time.monotonic() - started)
            self._tell(len(batch))

    def _iterate_movements(self) -> Iterator[tuple[int, Row]]:
        for moves in self.trade.iterate_movements():
            for row in iterate_movement_rows(moves, self.product_ids, self.suppliers):
                yield moves.direction, row

    def _tell(self, rows: int) -> None:
        self.done += rows
        if self.progress:
            self.progress(self.done, self.total)
