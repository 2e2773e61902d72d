"""A row of numbers as the outline of a small drawing, for the ``d`` of an SVG path."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 100, 28
MARGIN = 2  # above and below, for half the line's width


@dataclass(frozen=True)
class Sparkline:
    """The line up to the last number but one, its last stretch, and the area below both of them."""

    line: str
    last: str
    area: str


def draw_sparkline(values: Sequence[float | str]) -> Sparkline | None:
    """Draw numbers from left to right in a box of ``WIDTH`` x ``HEIGHT``.

    The largest is at the top, zero (or the smallest below it) at the bottom. The last number may still grow,
    so the stretch to it is drawn apart. Nothing but zeros is not drawn.
    """
    numbers = [float(value) for value in values]
    if len(numbers) < 2 or not any(numbers):
        return None
    low, high = min(0.0, *numbers), max(0.0, *numbers)
    scale = (HEIGHT - 2 * MARGIN) / (high - low)
    step = WIDTH / (len(numbers) - 1)
    points = [
        f"{place * step:.1f} {HEIGHT - MARGIN - (number - low) * scale:.1f}"
        for place, number in enumerate(numbers)
    ]
    return Sparkline(_join(points[:-1]), _join(points[-2:]), f"{_join(points)}L{WIDTH} {HEIGHT}L0 {HEIGHT}Z")


def _join(points: Sequence[str]) -> str:
    return f"M{'L'.join(points)}"
