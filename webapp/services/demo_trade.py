"""Half a year of trade, a day at a time: deliveries in the morning, sales until evening, then the count.

Stock is followed through every step, so it is never below zero. Only ``services.demo`` imports this.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from webapp.services.demo_calendar import DAYS, Calendar
from webapp.services.demo_catalogue import DEPARTMENTS, FINDS, LOSSES, TRADERS
from webapp.services.demo_goods import Goods
from webapp.services.demo_numbers import Numbers, Shares, is_first_of_pair, round_up, running_sums

# Customers at each hour from opening to closing: a peak at noon, a larger one after work.
HOURS = (0.4, 0.7, 1.0, 1.3, 1.5, 1.1, 0.9, 1.1, 1.5, 1.8, 1.4, 0.7)
MORNING, EVENING = 0.07, 0.94  # parts of the opening time before the first and after the last customer
DELIVERIES = 0.22  # at most this part of a day's movements
ADJUSTMENTS = 0.012
LINES_PER_INVOICE = 2.2
DISCOUNTED = 0.06
ROUNDS = 4


@dataclass
class Movements:
    """Some movements of one direction and kind, in order of time; one element each."""

    direction: int
    kind: str
    product: Numbers
    quantity: Numbers
    second: Numbers  # of the Unix epoch
    document: Numbers  # the number of its purchase order or invoice; -1 is none
    cost: Numbers
    price: Numbers
    note: Numbers  # which supplier, or which reason


class Trade:
    """The shop at work. ``stock`` is what lies on the shelves after the days iterated so far."""

    def __init__(
        self, rng: np.random.Generator, goods: Goods, movements: int, now: datetime, zone: ZoneInfo
    ) -> None:
        self.rng, self.goods = rng, goods
        self.calendar = Calendar(now, zone)
        self.budget = self.calendar.spread(rng, movements)
        self.units = np.array([item.units for item in DEPARTMENTS])[goods.department]
        self.cumulated: Shares = np.cumsum(goods.weight)
        names = [trader.name for trader in TRADERS]
        suppliers = [[names.index(name) for name in item.suppliers] for item in DEPARTMENTS]
        self.supplier: Numbers = np.array(
            [
                suppliers[number][line % len(suppliers[number])]
                for number, line in zip(goods.department, goods.line, strict=True)
            ]
        )
        self.orders = self.invoices = 0
        self._plan_stock(0.8 * movements / DAYS)

    def _plan_stock(self, sales_per_day: float) -> None:
        """Decide when each product is ordered again and how much, and what there is to begin with."""
        goods, rng = self.goods, self.rng
        per_day = goods.weight * sales_per_day * self.units
        self.reorder_level: Numbers = round_up(per_day * rng.uniform(5, 9, goods.count) + 2)
        self.full: Numbers = round_up(3 * self.reorder_level + per_day * 25)
        opening = np.maximum(self.reorder_level + 1, self.full * rng.uniform(0.6, 1.2, goods.count))
        self.stock: Numbers = opening.astype(np.int64)
        self.is_ordered = np.ones(goods.count, dtype=bool)
        self._discontinue()
        self.ordered: Numbers = np.flatnonzero(self.is_ordered)
        self.opening = self.stock.copy()

    def _discontinue(self) -> None:
        """Let a few products run low or out: some were never delivered, some sold well and are no more."""
        count = self.goods.count
        if count < 20:
            return
        outs, lows = max(2, count // 300), max(6, count // 50)
        sold_out = np.argsort(-self.goods.weight, kind="stable")[count // 20 :][:outs]
        others = self.rng.permutation(np.setdiff1d(np.arange(count), sold_out))
        low, never = others[:lows], others[lows : lows + outs]
        self.stock[low] = self.rng.integers(1, self.reorder_level[low] + 1)
        self.stock[never] = 0
        for places in (sold_out, low, never):
            self.is_ordered[places] = False

    def iterate_movements(self) -> Iterator[Movements]:
        """Yield the movements of the whole time, oldest first."""
        for day in range(DAYS):
            if self.budget[day]:
                yield from self._trade(day, int(self.budget[day]))

    def _trade(self, day: int, movements: int) -> Iterator[Movements]:
        deliveries = [self._order(int(DELIVERIES * movements + self.rng.random()))]
        rest = movements - len(deliveries[0][0])
        adjustments = int(self.rng.binomial(rest, ADJUSTMENTS))
        wanted = rest - adjustments
        sold = self._sell(wanted)
        missing = wanted - len(sold[0])
        while missing:  # the shelves did not hold enough: more was delivered instead
            products = self.rng.permutation(self.ordered)[:missing]
            deliveries.append(self._restock(products))
            missing -= len(products)
        for products, quantities in deliveries:
            if len(products):
                yield self._deliveries(day, products, quantities)
        if len(sold[0]):
            yield self._sales(day, *sold)
        if adjustments:
            yield from self._adjustments(day, adjustments)

    def _order(self, limit: int) -> tuple[Numbers, Numbers]:
        """Deliver what ran low, the emptiest shelves first; some deliveries are late."""
        low = np.flatnonzero((self.stock <= self.reorder_level) & self.is_ordered)
        low = low[self.rng.random(len(low)) < 0.7]
        emptiest = np.argsort(self.stock[low] / self.full[low], kind="stable")[:limit]
        return self._restock(low[emptiest])

    def _restock(self, products: Numbers) -> tuple[Numbers, Numbers]:
        quantities = round_up(
            np.maximum(self.full[products] - self.stock[products], self.reorder_level[products] + 1)
        )
        self.stock[products] += quantities
        return products, quantities

    def _sell(self, count: int) -> tuple[Numbers, Numbers]:
        """Draw what customers take. What is not there is not sold: they take something else, a few times."""
        taken: list[tuple[Numbers, Numbers]] = [(np.empty(0, np.int64), np.empty(0, np.int64))]
        missing = count
        for turn in range(ROUNDS):
            draws = self.rng.random(missing) * self.cumulated[-1]
            products = np.minimum(np.searchsorted(self.cumulated, draws, side="right"), self.goods.count - 1)
            quantities = self.rng.geometric(1 / self.units[products]) if turn < 2 else np.ones_like(products)
            is_there = running_sums(products, quantities) <= self.stock[products]
            products, quantities = products[is_there], quantities[is_there]
            np.subtract.at(self.stock, products, quantities)
            taken.append((products, quantities))
            missing -= len(products)
            if not missing:
                break
        products, quantities = (np.concatenate(parts) for parts in zip(*taken, strict=True))
        order = self.rng.permutation(len(products))
        return products[order], quantities[order]

    def _deliveries(self, day: int, products: Numbers, quantities: Numbers) -> Movements:
        """One purchase order a supplier, each at its own moment of the morning."""
        order = np.argsort(self.supplier[products], kind="stable")
        products, quantities = products[order], quantities[order]
        suppliers, group = np.unique(self.supplier[products], return_inverse=True)
        arrivals = np.sort(self.rng.random(len(suppliers))) * MORNING
        documents = self.orders + 1 + group
        self.orders += len(suppliers)
        price, cost = self.goods.prices_on(day, products)
        seconds = self.calendar.get_seconds(day, arrivals)[group]
        return Movements(
            1, "purchase", products, quantities, seconds, documents, cost, price, self.supplier[products]
        )

    def _sales(self, day: int, products: Numbers, quantities: Numbers) -> Movements:
        count = len(products)
        is_new = self.rng.random(count) < 1 / LINES_PER_INVOICE
        is_new[0] = True
        is_new |= ~is_first_of_pair(np.cumsum(is_new), products)  # an invoice names a product once
        group = np.cumsum(is_new) - 1
        parts = np.concatenate(([0], np.cumsum(HOURS))) / sum(HOURS)
        moments = np.interp(np.sort(self.rng.random(group[-1] + 1)), parts, np.linspace(0, 1, len(parts)))
        documents = self.invoices + 1 + group
        self.invoices += int(group[-1]) + 1
        price, cost = self.goods.prices_on(day, products)
        is_cheaper = self.rng.random(count) < DISCOUNTED
        price = np.where(is_cheaper, np.rint(price * 0.9), price).astype(np.int64)
        seconds = self.calendar.get_seconds(day, MORNING + moments * (EVENING - MORNING))[group]
        return Movements(
            -1, "sale", products, quantities, seconds, documents, cost, price, np.zeros_like(products)
        )

    def _adjustments(self, day: int, count: int) -> Iterator[Movements]:
        """After closing somebody counts: things are broken or missing, now and then there are more."""
        products = self.ordered[self.rng.integers(0, len(self.ordered), count)]
        quantities = self.rng.integers(1, 4, count)
        is_loss = (self.rng.random(count) < 0.7) & (
            running_sums(products, quantities) <= self.stock[products]
        )
        moments = np.sort(EVENING + self.rng.random(count) * (1 - EVENING))
        notes = self.rng.integers(0, 1 << 16, count)
        price, cost = self.goods.prices_on(day, products)
        seconds = self.calendar.get_seconds(day, moments)
        for direction, chosen in ((-1, is_loss), (1, ~is_loss)):
            if chosen.any():
                np.add.at(self.stock, products[chosen], direction * quantities[chosen])
                yield Movements(
                    direction,
                    "adjustment",
                    product=products[chosen],
                    quantity=quantities[chosen],
                    second=seconds[chosen],
                    document=np.full(int(chosen.sum()), -1),
                    cost=cost[chosen],
                    price=price[chosen],
                    note=notes[chosen] % len(LOSSES if direction < 0 else FINDS),
                )
