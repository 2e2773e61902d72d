"""When a saved export runs: by the clocks of the house, whatever those clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from webapp.services.export_schedules import Repeat

NEW_YORK, SAO_PAULO = "America/New_York", "America/Sao_Paulo"


def at(text: str, zone: str = "UTC") -> datetime:
    """Return a moment by the clocks of a zone, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("repeat", "after", "expected"),
    [
        (Repeat("daily", 6), "2026-11-23T05:59:59", "2026-11-23T06:00"),
        (Repeat("daily", 6), "2026-11-23T06:00:00", "2026-11-24T06:00"),
        (Repeat("weekly", 6, weekday=0), "2026-11-23T05:00", "2026-11-23T06:00"),  # a Monday
        (Repeat("weekly", 6, weekday=0), "2026-11-23T07:00", "2026-11-30T06:00"),
        (Repeat("weekly", 6, weekday=6), "2026-11-23T07:00", "2026-11-29T06:00"),
        (Repeat("monthly", 6, day=31), "2026-11-23T07:00", "2026-11-30T06:00"),
        (Repeat("monthly", 6, day=31), "2026-11-30T06:00", "2026-12-31T06:00"),
        (Repeat("monthly", 6, day=31), "2027-01-31T06:00", "2027-02-28T06:00"),
        (Repeat("monthly", 6, day=29), "2028-02-01T06:00", "2028-02-29T06:00"),
        (Repeat("monthly", 6, day=1), "2026-11-23T07:00", "2026-12-01T06:00"),
        (Repeat("monthly", 23, day=31), "2026-12-31T23:30", "2027-01-31T23:00"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", SAO_PAULO, "Pacific/Kiritimati", "Pacific/Niue"])
def test_the_next_run_is_at_its_hour_of_the_next_day_that_counts(
    repeat: Repeat, after: str, expected: str, zone: str
) -> None:
    assert repeat.find_next(at(after, zone), ZoneInfo(zone)) == at(expected, zone)


def test_what_runs_by_hand_has_no_next_run() -> None:
    assert Repeat("never").find_next(at("2026-11-23T06:00"), ZoneInfo("UTC")) is None
    assert Repeat("never").find_last(at("2026-11-23T06:00"), ZoneInfo("UTC")) is None


@pytest.mark.parametrize(
    ("zone", "hour", "first", "days"),
    [
        (NEW_YORK, 2, "2026-03-06T12:00", 4),  # 8 March has no 02:00
        (NEW_YORK, 1, "2026-10-30T12:00", 4),  # 1 November has two 01:00
        (SAO_PAULO, 0, "2018-11-02T12:00", 4),  # 4 November 2018 began at 01:00
        (SAO_PAULO, 23, "2018-02-15T12:00", 4),  # 17 February 2018 had two 23:00
    ],
)
def test_each_day_has_one_run_where_clocks_are_changed(zone: str, hour: int, first: str, days: int) -> None:
    repeat, moment, seen = Repeat("daily", hour), at(first, zone), []
    for _ in range(days):
        found = repeat.find_next(moment, ZoneInfo(zone))
        assert found is not None
        seen.append(found.astimezone(ZoneInfo(zone)))
        moment = found
    dates = [item.date() for item in seen]
    assert dates == [dates[0] + timedelta(number) for number in range(days)]
    assert {item.hour for item in seen} <= {hour, hour + 1}
    assert [item.hour for item in seen].count(hour) >= days - 1


def test_an_hour_that_is_skipped_is_the_one_after_it() -> None:
    found = Repeat("daily", 2).find_next(at("2026-03-08T00:00", NEW_YORK), ZoneInfo(NEW_YORK))
    assert found == at("2026-03-08T03:00", NEW_YORK)


@pytest.mark.parametrize("kind", ["daily", "weekly", "monthly"])
@pytest.mark.parametrize("zone", [NEW_YORK, SAO_PAULO, "Asia/Kathmandu"])
def test_the_newest_missed_run_is_the_one_before_the_next(kind: str, zone: str) -> None:
    repeat, now = Repeat(kind, 2, weekday=6, day=31), at("2026-01-01T00:00")
    for _ in range(400):
        following = repeat.find_next(now, ZoneInfo(zone))
        last = repeat.find_last(now, ZoneInfo(zone))
        assert following is not None
        assert last is not None
        assert last <= now < following
        assert repeat.find_next(last, ZoneInfo(zone)) == following
        now += timedelta(hours=23, minutes=17)
