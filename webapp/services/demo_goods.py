"""The goods of the demo shop, drawn at random: what they are, cost, sell for, and how well they sell.

Columns of numbers (numpy) for as many products as are asked for; texts are made a batch at a time.
Only ``services.demo`` imports this, when it runs.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from webapp.services.demo_catalogue import DEPARTMENTS, Department, Good, lines_of
from webapp.services.demo_numbers import Numbers, Shares
from webapp.services.demo_rows import from_cents

BRANDLESS = 0.05
RAISED = 0.35
NOTE = 0.4


@dataclass(frozen=True)
class Article:
    """One combination of the catalogue's words."""

    department: int
    good: Good
    variant: str
    size: int
    brand: str

    def get_title(self, *, branded: bool, lot: int) -> str:
        """Return the product's title; a shop larger than the catalogue numbers its lots."""
        title = f"{self.variant} {self.good.noun}, {self.good.sizes[self.size]}"
        title = f"{self.brand} {title}" if branded else title
        return f"{title}, lot {lot + 1}" if lot else title


def list_articles() -> list[Article]:
    """Return every combination of the catalogue."""
    return [
        Article(number, good, variant, size, brand)
        for number, department in enumerate(DEPARTMENTS)
        for good in department.goods
        for variant in good.variants
        for size in range(len(good.sizes))
        for brand in department.brands
    ]


class Goods:
    """All products, one element each. Amounts are whole cents; ``weight`` is a product's share of sales."""

    def __init__(self, rng: np.random.Generator, count: int, days: int) -> None:
        self.articles = list_articles()
        order = rng.permutation(len(self.articles))
        places = np.arange(count)
        self.count = count
        self.article: Numbers = order[places % len(order)]
        self.lot: Numbers = places // len(order)
        self.department: Numbers = np.array([item.department for item in self.articles])[self.article]
        self.is_branded = rng.random(count) >= BRANDLESS
        self.line: Numbers = rng.integers(0, 1 << 16, count)
        self.has_note = rng.random(count) < NOTE
        self._draw_prices(rng, days)
        self._draw_popularity(rng)

    def _draw_prices(self, rng: np.random.Generator, days: int) -> None:
        shelf = np.array([100 * item.good.price * 1.55**item.size for item in self.articles])[self.article]
        lowest, highest = np.array([item.margin for item in DEPARTMENTS]).T
        margin = rng.uniform(lowest[self.department], highest[self.department])
        self.sell = _round_price(shelf * rng.lognormal(0, 0.08, self.count))
        self.cost: Numbers = np.rint(self.sell * (1 - margin)).astype(np.int64)
        # Some went up once within the half year; sales before that day keep the old price and cost.
        is_raised = rng.random(self.count) < RAISED
        self.raised_on: Numbers = np.where(is_raised, rng.integers(1, days, self.count), 0)
        self.old_sell = np.minimum(self.sell, _round_price(self.sell / rng.uniform(1.02, 1.09, self.count)))
        self.old_cost: Numbers = np.minimum(
            self.cost, np.rint(self.cost / rng.uniform(1.02, 1.07, self.count)).astype(np.int64)
        )

    def _draw_popularity(self, rng: np.random.Generator) -> None:
        """Few sell very well, most now and then (a power law), and cheap things more than dear ones."""
        rank = rng.permutation(self.count)
        weight = (rank + 4.0) ** -0.9 * (self.sell / 500.0) ** -0.25
        self.weight: Shares = weight / weight.sum()

    def prices_on(self, day: int, products: Numbers) -> tuple[Numbers, Numbers]:
        """Return the sell prices and costs of these products on a day of the history."""
        is_old = day < self.raised_on[products]
        sell = np.where(is_old, self.old_sell[products], self.sell[products])
        return sell, np.where(is_old, self.old_cost[products], self.cost[products])

    def iterate_records(self) -> Iterator[dict[str, Any]]:
        """Yield each product's own fields, with ``brand`` and ``line`` (None without a brand)."""
        numbers: Counter[str] = Counter()
        for place in range(self.count):
            article = self.articles[self.article[place]]
            department = DEPARTMENTS[article.department]
            branded = bool(self.is_branded[place])
            lines = lines_of(article.brand)
            numbers[department.code] += 1
            yield {
                "serial_number": f"{department.code}-{numbers[department.code]:05d}",
                "title": article.get_title(branded=branded, lot=int(self.lot[place])),
                "description": _note(department, article) if self.has_note[place] else None,
                "category": department.name,
                "brand": article.brand if branded else None,
                "line": lines[self.line[place] % len(lines)] if branded else None,
                "cost_price": from_cents(int(self.cost[place])),
                "sell_price": from_cents(int(self.sell[place])),
            }


def _note(department: Department, article: Article) -> str:
    return f"{article.good.noun.capitalize()} of the kind “{article.variant}”. {department.description}."


def _round_price(cents: Shares) -> Numbers:
    """Round as shops do: 2.49, 12.49 or 12.99, 79.99."""
    step = np.where(cents < 1_000, 10, np.where(cents < 5_000, 50, 100))
    return np.maximum(29, np.rint(cents / step) * step - 1).astype(np.int64)
