"""The stock: the only place that changes a product's quantity.

A ledger holds the quantities of the products that a batch touches, locked until the commit. Each
movement is weighed against it in file order, and one UPDATE a product writes the sum at the end.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.extensions import db, settings
from webapp.models import Inflow, Outflow, Product
from webapp.models.base import utc_now
from webapp.resources.base import N_
from webapp.resources.types import Problem
from webapp.services.bulk import join_values, update_tuples
from webapp.services.fetching import fetch_tuples
from webapp.services.stock_levels import Level, watch_levels

DIRECTIONS = {"inflows": 1, "outflows": -1}
PRODUCTS: Any = Product.__table__
KEPT_PRODUCTS = 20_000  # of a dry run: 15 MB


class StockedProduct(NamedTuple):
    """What movements ask of their product."""

    id: int
    serial_number: str
    serial_number_key: str
    quantity: int
    cost_price: Decimal
    sell_price: Decimal
    reorder_level: int


class StockLedger:
    """The quantities of some products, as the movements of this transaction leave them.

    With ``is_dry`` nothing is locked or written, and the quantities that movements have changed are
    kept from batch to batch, so that a check of a whole file sees what each row would meet. Products are
    kept, too, as long as they are few: most are sold again and again.
    """

    def __init__(self, *, is_dry: bool = False) -> None:
        self.is_dry = is_dry
        self._products: dict[int, StockedProduct] = {}
        self._ids: dict[str, int] = {}
        self._quantities: dict[int, int] = {}
        self._touched: set[int] = set()

    def load(self, session: Session, product_ids: Iterable[int]) -> None:
        """Read, and lock in order of their ids, the products that are not known yet."""
        wanted = [(item,) for item in set(product_ids) - self._products.keys()]
        if wanted:
            self._read(session, PRODUCTS.c.id, wanted)

    def find(self, session: Session, serial_numbers: AbstractSet[str]) -> Mapping[str, int]:
        """Read, and lock in order of their ids, the products of a batch; return their ids.

        The serial numbers are folded ones. A dry run returns those of earlier batches with them.
        """
        if not self.is_dry:
            self._ids = {}
        elif len(self._products) > KEPT_PRODUCTS:
            self._forget()
        wanted = [(item,) for item in serial_numbers - self._ids.keys()]
        if wanted:
            read = self._read(session, PRODUCTS.c.serial_number_key, wanted)
            self._ids |= {product.serial_number_key: product.id for product in read}
        return self._ids

    def _forget(self) -> None:
        for item in self._products.keys() - self._touched:
            del self._quantities[item]
        self._products = {}
        self._ids = {}

    def _read(self, session: Session, column: Any, values: list[tuple[Any]]) -> list[StockedProduct]:
        wanted = join_values(session, column, values=values)
        query = select(*(PRODUCTS.c[name] for name in StockedProduct._fields))
        query = query.join(wanted.table, wanted.condition)
        if not self.is_dry:
            query = query.order_by(PRODUCTS.c.id).with_for_update(of=PRODUCTS)
        read = list(map(StockedProduct._make, fetch_tuples(session, query, wanted.parameters)))
        for product in read:
            self._products[product.id] = product
            self._quantities.setdefault(product.id, product.quantity)
        return read

    def get_product(self, product_id: int) -> StockedProduct:
        """Return a product as it was read."""
        return self._products[product_id]

    def get_quantity(self, product_id: int) -> int:
        """Return a product's quantity as the movements of this transaction leave it."""
        return self._quantities[product_id]

    def remember(self) -> dict[int, int]:
        """Return the quantities as they are now, for ``restore``."""
        return dict(self._quantities)

    def restore(self, quantities: dict[int, int]) -> None:
        """Take back every movement since ``remember``: the database has rolled them back."""
        self._quantities = quantities
        self._touched.clear()

    def move(self, product_id: int, delta: int) -> tuple[int, int]:
        """Add ``delta`` pieces and return the quantities before and after; Problem when too few are left."""
        before = self._quantities[product_id]
        after = before + delta
        if after < 0 and delta < 0 and not settings().allow_negative_stock:
            raise Problem(
                N_("Only %(left)s of %(product)s are left, %(wanted)s are asked for."),
                N_("Record what came in first, or correct the quantity."),
                left=before,
                product=self._products[product_id].serial_number,
                wanted=-delta,
            )
        self._quantities[product_id] = after
        self._touched.add(product_id)
        return before, after

    def correct(self, product_id: int, quantity: int) -> None:
        """Set a quantity that its movements contradict; below zero, too, when they say so."""
        self._quantities[product_id] = quantity
        self._touched.add(product_id)

    def write(self, session: Session, job_id: int | None = None) -> None:
        """Write each touched product's new quantity, and have it seen who becomes low by it."""
        if not self._touched or self.is_dry:
            return
        rows = [(item, self._quantities[item]) for item in sorted(self._touched)]
        update_tuples(session, PRODUCTS, ("quantity",), rows, utc_now())
        known = self._products
        levels = {item: Level(known[item].quantity, after, known[item].reorder_level) for item, after in rows}
        watch_levels(session, levels, job_id)
        self._touched.clear()


def verify_stock() -> list[tuple[int, str, int, int]]:
    """Return (id, serial number, quantity, sum of movements) of each product whose two differ."""
    total = sum_movements()
    query = select(Product.id, Product.serial_number, Product.quantity, total).where(
        Product.quantity != total
    )
    return [(row[0], row[1], row[2], row[3]) for row in db.session.execute(query.order_by(Product.id))]


def sum_movements() -> Any:
    """Return what the movements of a product add up to, as a column of a query of products."""
    return _sum_of(Inflow) - _sum_of(Outflow)


def _sum_of(model: Any) -> Any:
    summed = select(func.coalesce(func.sum(model.quantity), 0)).where(model.product_id == Product.id)
    return summed.correlate(Product).scalar_subquery()
