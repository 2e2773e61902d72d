"""At which prices a dry run has met the movements that it adds up: it has saved none to compare with."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from webapp.services.record_shape import Key
from webapp.services.seen_keys import SeenKeys

PRICES = ("unit_price", "unit_cost")


def mark_of(price: Any) -> int:
    """Return what is kept of a price. Another one has the same mark once in two thousand million."""
    return hash(price) & 0x7FFF_FFFF  # what fits beside a key


class SeenPrices:
    """The marks of the prices that movements were given, or got from their product, by key and field."""

    def __init__(self) -> None:
        self._seen = {name: SeenKeys() for name in PRICES}

    def find(self, keys: Sequence[Key]) -> dict[tuple[Key, str], int]:
        """Return the marks of those movements that are known."""
        return {
            (key, name): mark for name, seen in self._seen.items() for key, mark in seen.find(keys).items()
        }

    def add(self, movements: Iterable[tuple[Key, Mapping[str, Any]]]) -> dict[tuple[Key, str], int]:
        """Remember the prices of movements that were not known, and return their marks."""
        added: dict[tuple[Key, str], int] = {}
        met = list(movements)
        for name, seen in self._seen.items():
            marks = {key: mark_of(values[name]) for key, values in met if name in values}
            seen.add(marks)
            added |= {(key, name): mark for key, mark in marks.items()}
        return added
