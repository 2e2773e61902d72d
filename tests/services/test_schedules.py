"""Schedules as an operator steers them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tasks.maintenance import BODIES
from tests.support.databases import on_both_databases
from tests.support.jobs import carry_out, heard_bells, look_at
from webapp.errors import Forbidden, NotFound
from webapp.models import Change, User
from webapp.models.base import utc_now
from webapp.services import periodic, schedules
from webapp.services.periodic import SCHEDULES

SLOT = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)


def start(slot: datetime = SLOT) -> object:
    """Do what a consumer's ticker does."""
    return periodic.start_slot("metrics", slot, "metrics", lambda: False)


def test_every_schedule_has_a_body() -> None:
    assert set(BODIES) == set(SCHEDULES)


@on_both_databases
def test_a_disabled_schedule_runs_no_slot_until_it_is_enabled(session: Session, admin: User) -> None:
    schedules.set_enabled(admin, "metrics", is_enabled=False)
    assert start() is None
    schedules.set_enabled(admin, "metrics", is_enabled=True)
    assert start() is not None
    actions = session.execute(select(Change.resource, Change.action, Change.actor_id).order_by(Change.id))
    assert [tuple(row) for row in actions] == [
        ("schedules", "disable", admin.id),
        ("schedules", "enable", admin.id),
    ]


@on_both_databases
def test_a_schedule_is_run_now_once(session: Session, admin: User) -> None:
    schedules.set_enabled(admin, "metrics", is_enabled=False)
    with heard_bells() as rung:
        first, second = schedules.run_now(admin, "metrics"), schedules.run_now(admin, "metrics")
    assert (first.id == second.id, rung, first.user_id) == (True, [first.id], None)


@on_both_databases
def test_the_list_tells_when_and_how_it_went(session: Session, admin: User) -> None:
    made = [schedules.run_now(admin, "metrics").id]
    carry_out(made[0], lambda _: None)
    made.append(schedules.run_now(admin, "metrics").id)
    rows = {row.name: row for row in schedules.list_schedules(admin)}
    row = rows["metrics"]
    assert [outcome.status for outcome in row.outcomes] == ["completed", "pending"]
    assert row.last_run_at == look_at(made[1]).created_at
    assert row.next_run_at is not None
    assert timedelta() < row.next_run_at - utc_now() <= timedelta(minutes=5)
    assert (rows["prune"].last_run_at, rows["prune"].outcomes) == (None, [])
    schedules.set_enabled(admin, "prune", is_enabled=False)
    rows = {row.name: row for row in schedules.list_schedules(admin)}
    assert (rows["prune"].is_enabled, rows["prune"].next_run_at) == (False, None)


def test_the_daily_slot_begins_at_its_hour() -> None:
    prune = SCHEDULES["prune"]
    before, after = datetime(2026, 11, 23, 3, 29, tzinfo=UTC), datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
    assert prune.find_slot(before) == after - timedelta(days=1)
    assert prune.find_slot(after) == prune.find_slot(after + timedelta(hours=23)) == after


@on_both_databases
def test_schedules_are_for_administrators(session: Session, editor: User, admin: User) -> None:
    with pytest.raises(Forbidden):
        schedules.run_now(editor, "metrics")
    with pytest.raises(Forbidden):
        schedules.set_enabled(editor, "metrics", is_enabled=False)
    with pytest.raises(NotFound):
        schedules.run_now(admin, "no such schedule")
