"""What a bench found, as a table for people and as JSON for whoever compares runs."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. ``target`` says in words what is promised, ``is_met`` whether it holds; None promises nothing."""

    name: str
    value: float
    unit: str
    target: str = ""
    is_met: bool | None = None


def at_least(name: str, value: float, target: float, unit: str = "×") -> Figure:
    """Return a figure that must not be smaller than its target."""
    return Figure(name, value, unit, f"≥ {target:g} {unit}", value >= target)


def at_most(name: str, value: float, target: float, unit: str) -> Figure:
    """Return a figure that must not be larger than its target."""
    return Figure(name, value, unit, f"≤ {target:g} {unit}", value <= target)


def show(title: str, figures: Iterable[Figure]) -> bool:
    """Print a table, or JSON lines when standard output is no terminal; return whether every target is met."""
    rows = list(figures)
    if sys.stdout.isatty():
        print(f"\n{title}")
        for row in rows:
            print(f"  {row.name:<58} {row.value:>12,.2f} {row.unit:<7} {row.target:<14} {_verdict(row)}")
    else:
        for row in rows:
            print(json.dumps({"bench": title, **asdict(row)}, ensure_ascii=False), flush=True)
    return all(row.is_met is not False for row in rows)


def _verdict(row: Figure) -> str:
    return {True: "met", False: "MISSED", None: ""}[row.is_met]
