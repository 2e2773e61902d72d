"""What an import would do to the stock: pieces in and out, and the products that change most."""

from collections.abc import Sequence
from heapq import nlargest
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Product
from webapp.resources.base import Resource
from webapp.services.records import Plan

SHOWN_PRODUCTS = 10


class StockEffect:
    """The sums of a check. It knows each product that is moved, and keeps two numbers of it."""

    def __init__(self, resource: Resource) -> None:
        self.is_products = resource.name == "products"
        self.pieces_in = self.pieces_out = 0
        self._moved: dict[int, tuple[int, int]] = {}
        self._opened: list[tuple[int, str, str]] = []

    def add(self, plans: Sequence[Plan]) -> None:
        """Take what would become of some rows."""
        moved = self._moved
        for plan in plans:
            delta, product_id = plan.delta, plan.product_id
            if delta and product_id is not None and plan.action != "failed":
                if delta > 0:
                    self.pieces_in += delta
                else:
                    self.pieces_out -= delta
                first, last = plan.quantities
                moved[product_id] = (moved[product_id][0] if product_id in moved else first), last
            elif plan.opening and self.is_products:
                self.pieces_in += plan.opening
                if len(self._opened) < SHOWN_PRODUCTS or plan.opening >= self._opened[-1][0]:
                    opened = (plan.opening, plan.after["serial_number"], plan.after["title"])
                    self._opened = nlargest(SHOWN_PRODUCTS, [*self._opened, opened])

    def to_json(self, session: Session) -> dict[str, Any]:
        """Return the sums, and the largest changes with the products' names."""
        largest = nlargest(SHOWN_PRODUCTS, self._moved.items(), key=lambda item: abs(item[1][1] - item[1][0]))
        query = select(Product.id, Product.serial_number, Product.title)
        names = {row.id: row for row in session.execute(query.where(Product.id.in_(dict(largest))))}
        moved = [
            {
                "serial_number": names[product_id].serial_number,
                "title": names[product_id].title,
                "before": before,
                "after": after,
            }
            for product_id, (before, after) in largest
        ]
        opened = [
            {"serial_number": number, "title": title, "before": 0, "after": count}
            for count, number, title in self._opened
        ]
        return {"pieces_in": self.pieces_in, "pieces_out": self.pieces_out, "products": moved or opened}
