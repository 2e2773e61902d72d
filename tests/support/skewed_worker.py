"""The worker of the failure tests on a machine whose clock is off: every clock that the house reads, but no stopwatch.

It is put there before anybody has imported a clock by its name, and taken away before pandas looks for it.
"""

import datetime as dt
import os
import time

SKEW = float(os.environ["CLOCK_SKEW_SECONDS"])
real_datetime, real_time = dt.datetime, time.time


class _LooksReal(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, real_datetime)


class SkewedDatetime(dt.datetime, metaclass=_LooksReal):
    """What others import as ``datetime``; the moments that it tells are plain ones."""

    __slots__ = ()

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
        """Tell the wrong time."""
        return real_datetime.now(tz) + dt.timedelta(seconds=SKEW)


dt.datetime = SkewedDatetime  # type: ignore[misc]
time.time = lambda: real_time() + SKEW
try:
    from tests.support.mutant_worker import app, huey
finally:
    dt.datetime = real_datetime  # type: ignore[misc]

__all__ = ["app", "huey"]
