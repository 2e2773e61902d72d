"""When a saved export runs by itself: at an hour of some days, in the house's time zone."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST_PAUSE = 32  # days: between two runs there is a month at most


@dataclass(frozen=True)
class Repeat:
    """How often something runs. ``weekday`` counts from Monday as 0; a short month takes its last ``day``."""

    kind: str
    hour: int = 6
    weekday: int = 0
    day: int = 1

    def includes(self, day: date) -> bool:
        """Whether it runs on this day."""
        if self.kind == "daily":
            return True
        if self.kind == "weekly":
            return day.weekday() == self.weekday
        last = calendar.monthrange(day.year, day.month)[1]
        return self.kind == "monthly" and day.day == min(self.day, last)

    def find_next(self, after: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first moment after this one, in UTC; None when it never runs by itself."""
        today = after.astimezone(zone).date()
        for days in range(-1, LONGEST_PAUSE + 1):
            moment = self._at(today + timedelta(days), zone)
            if moment is not None and moment > after:
                return moment
        return None

    def find_last(self, until: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the newest moment that is not after this one, in UTC."""
        today = until.astimezone(zone).date()
        for days in range(1, -LONGEST_PAUSE - 1, -1):
            moment = self._at(today + timedelta(days), zone)
            if moment is not None and moment <= until:
                return moment
        return None

    def _at(self, day: date, zone: ZoneInfo) -> datetime | None:
        # An hour that the clocks skip is the one after it, and one that they repeat is its first:
        # fold=0 says so, and each day has one moment.
        if not self.includes(day):
            return None
        return datetime.combine(day, time(self.hour), zone).astimezone(UTC)
