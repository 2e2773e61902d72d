"""When the demo shop is open, and how its half year of trade is spread over the days."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from webapp.services.demo_numbers import Numbers, Shares

DAYS = 183
COUNTED, OPENS, CLOSES = time(6, 30), time(8), time(20)
OPEN_SECONDS = 43_200
# Monday to Sunday; the growth over the half year; how much days differ by themselves.
WEEK = (0.88, 0.86, 0.95, 1.02, 1.25, 1.55, 0.62)
GROWTH = 0.3
NOISE = 0.07


class Calendar:
    """The local days until ``now``, the last one not over yet."""

    def __init__(self, now: datetime, zone: ZoneInfo) -> None:
        self.zone = zone
        today = now.astimezone(zone).date()
        self.days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
        self.windows = [self._open_hours(day, now) for day in self.days]

    @property
    def opened_at(self) -> datetime:
        """The moment at which the opening stock was counted."""
        return self._at(self.days[0], COUNTED)

    def get_seconds(self, day: int, parts: Shares) -> Numbers:
        """Return moments of a day, given as parts of its opening time, as seconds of the Unix epoch."""
        opens, closes = self.windows[day]
        return (opens + parts * (closes - opens)).astype(np.int64)

    def spread(self, rng: np.random.Generator, movements: int) -> Numbers:
        """Share movements out among the days, to the last one."""
        weekly = np.array([WEEK[day.weekday()] for day in self.days])
        growth = 1 + GROWTH * np.arange(DAYS) / DAYS
        is_open = np.array([closes - opens for opens, closes in self.windows]) / OPEN_SECONDS
        weight = weekly * growth * is_open * rng.lognormal(0, NOISE, DAYS)
        until = np.rint(np.cumsum(weight) / weight.sum() * movements).astype(np.int64)
        return np.diff(until, prepend=0)

    def _open_hours(self, day: date, now: datetime) -> tuple[int, int]:
        """Return the seconds of opening and closing; today closes now."""
        opens, closes = (int(self._at(day, clock).timestamp()) for clock in (OPENS, CLOSES))
        return opens, max(opens, min(closes, int(now.timestamp())))

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)
