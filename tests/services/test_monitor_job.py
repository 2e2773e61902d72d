"""One job in the monitor, the overview, the consumers: what they tell is what happened."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.jobs import ask, carry_out, change, claim, failing, look_at, lose_worker
from tests.support.processes import wait_until
from webapp.database import write_transaction
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Consumer, User
from webapp.models.base import utc_now
from webapp.models.clock import db_now
from webapp.services import health, job_protocol, monitor, workers
from webapp.services.job_protocol import JobRun
from webapp.services.monitor_failures import normalise
from webapp.services.monitor_overview import find_percentiles
from webapp.services.monitor_types import JobDetail, Percentiles
from webapp.services.redact import HIDDEN, hide_secrets
from webapp.services.traces import keep_own_frames
from webapp.version import get_version

DISK_FULL = OSError(28, "No space left on device")


def detail_of(admin: User, job_id: int) -> JobDetail:
    """What the monitor tells of a job."""
    return monitor.get_job_detail(admin, look_at(job_id).task_id)


@on_both_databases
def test_the_history_tells_every_try_and_every_wait(session: Session, admin: User, editor: User) -> None:
    job_id = ask(editor)
    carry_out(job_id, failing(DISK_FULL))
    change(job_id, run_after=db_now(-1))
    claim(job_id)
    lose_worker(job_id)
    carry_out(job_id, lambda _: None)
    detail = detail_of(admin, job_id)
    states = [span.state for span in detail.history]
    assert states == ["pending", "error", "retrying", "crash", "pending", "completed"]
    assert all(span.seconds >= 0 for span in detail.history)
    assert [attempt.record.outcome for attempt in detail.attempts] == ["error", "crash", "completed"]
    assert (detail.row.state, detail.actions) == ("completed", frozenset({"run_again", "delete"}))


@on_both_databases
def test_a_running_job_tells_who_has_it_how_fast_it_goes_and_where_it_is(
    session: Session, admin: User, editor: User
) -> None:
    job_id = ask(editor, params={"api_token": "s3cret", "fields": ["a"]})
    run = claim(job_id, owner="host-1:4711:boot")
    change(job_id, processed=50_000, total=100_000, started_at=db_now(-1_000))
    run.beat()
    detail = detail_of(admin, job_id)
    assert (detail.host, detail.pid, detail.row.state) == ("host-1", 4711, "processing")
    assert detail.pace is not None
    assert detail.pace.rows_per_second == pytest.approx(50, rel=0.2)
    assert detail.pace.seconds_left == pytest.approx(1_000, rel=0.2)
    assert detail.stack is not None
    assert "test_monitor_job" in detail.stack.text
    assert detail.params == {"api_token": HIDDEN, "fields": ["a"]}
    assert detail.raw["params"]["api_token"] == HIDDEN
    job_protocol.carry_out(run, lambda _: None)
    assert detail_of(admin, job_id).stack is None


def test_the_heartbeat_shows_where_the_task_is(make_app: Any, admin: User) -> None:
    with make_app(HEARTBEAT_SECONDS="0.02").app_context():
        job_id = ask()

        def a_body_that_hangs(_run: JobRun) -> None:
            wait_until(lambda: look_at(job_id).stack, lambda: "no stack was stored")
            assert "a_body_that_hangs" in str(look_at(job_id).stack)

        carry_out(job_id, a_body_that_hangs)
        assert (look_at(job_id).status, look_at(job_id).stack) == ("completed", None)


@on_both_databases
def test_a_job_is_stuck_when_it_lives_and_does_not_move(session: Session, admin: User, editor: User) -> None:
    job_id = ask(editor)
    claim(job_id)
    assert detail_of(admin, job_id).row.is_stuck is False
    change(job_id, progress_at=db_now(-301))
    assert detail_of(admin, job_id).row.is_stuck is True
    change(job_id, heartbeat_at=db_now(-61))
    assert detail_of(admin, job_id).row.is_stuck is False


@on_both_databases
def test_tracebacks_are_for_administrators(
    session: Session, admin: User, editor: User, stranger: User
) -> None:
    job_id = ask(editor)
    carry_out(job_id, failing(ValueError("a bug")))
    task_id = look_at(job_id).task_id
    assert "a bug" in monitor.get_attempts(admin, task_id)[0].full_traceback
    assert monitor.get_attempts(editor, task_id)[0].full_traceback == ""
    with pytest.raises(NotFound):
        monitor.get_attempts(stranger, task_id)


@on_both_databases
def test_the_end_of_a_job_has_a_date(session: Session, admin: User, editor: User) -> None:
    job_id, system = ask(editor), ask(task_type="metrics")
    assert detail_of(admin, job_id).delete_at is None
    for one in (job_id, system):
        carry_out(one, lambda _: None)
    ended = look_at(job_id).completed_at
    assert ended is not None
    assert detail_of(admin, job_id).delete_at == ended + timedelta(days=30)
    kept = detail_of(admin, system).delete_at
    assert kept == look_at(system).completed_at + timedelta(days=1)  # type: ignore[operator]


@on_both_databases
def test_the_overview_measures_the_last_hour(session: Session, admin: User, editor: User) -> None:
    now = utc_now()
    for wait, run in ((1, 10), (2, 20), (3, 30)):
        job_id = ask(editor)
        end = now - timedelta(minutes=5)
        begin = end - timedelta(seconds=run)
        created = begin - timedelta(seconds=wait)
        change(job_id, status="completed", created_at=created, started_at=begin, completed_at=end)
    old = ask(editor)
    change(old, status="completed", completed_at=now - timedelta(hours=2))
    waiting = ask(editor)
    change(waiting, run_after=db_now(-100))
    overview = monitor.get_overview(admin)
    assert (overview.wait, overview.run) == (Percentiles(2, 3), Percentiles(20, 30))
    assert len(overview.throughput) == 60
    assert sum(minute.completed for minute in overview.throughput) == 3
    assert overview.oldest_waiting_seconds == pytest.approx(100, abs=5)
    assert (overview.database.is_ok, overview.broker.is_ok) == (True, True)
    assert overview.broker.waiting is not None


@on_both_databases
def test_the_overview_is_loud_when_nothing_consumes(session: Session, admin: User) -> None:
    assert monitor.get_overview(admin).is_nothing_consuming is True
    workers.beat()
    overview = monitor.get_overview(admin)
    assert (overview.is_nothing_consuming, overview.busy_workers, overview.total_workers) == (False, 0, 1)
    claim(ask(), owner=job_protocol.owner_name())
    assert monitor.get_overview(admin).busy_workers == 1
    workers.leave()
    assert monitor.get_overview(admin).is_nothing_consuming is True


@on_both_databases
def test_consumers_tell_their_version_their_memory_and_their_job(session: Session, admin: User) -> None:
    workers.beat()
    job_id = ask()
    claim(job_id, owner=job_protocol.owner_name())
    (row,) = monitor.list_consumers(admin)
    assert (row.version, row.is_stale, row.is_skewed) == (get_version(), False, False)
    assert row.memory_bytes is not None
    assert row.memory_bytes > 1 << 20
    assert row.job is not None
    assert row.job.id == job_id
    with write_transaction() as writing:
        writing.execute(update(Consumer).values(version="0.0.1", heartbeat_at=db_now(-60)))
    db.session.expire_all()
    (row,) = monitor.list_consumers(admin)
    assert (row.is_stale, row.is_skewed) == (True, True)


def test_a_running_job_is_on_its_consumers_heartbeat(session: Session) -> None:
    job_id, seen = ask(), []
    carry_out(job_id, lambda _: seen.append(job_protocol.running_job_id()))
    assert (seen, job_protocol.running_job_id()) == ([job_id], None)


def test_a_frozen_broker_does_not_hold_the_page(app: Flask, session: Session, admin: User) -> None:
    release = threading.Event()
    health.set_broker_probe(app, lambda: release.wait(20))
    begun = utc_now()
    overviews = [monitor.get_overview(admin) for _ in range(3)]
    assert utc_now() - begun < timedelta(seconds=2)
    assert [overview.broker.is_ok for overview in overviews] == [False] * 3
    release.set()
    wait_until(lambda: health.check_broker().is_ok, lambda: "the broker is still said to be away")


def test_percentiles_are_durations_that_were_measured() -> None:
    assert find_percentiles([float(number) for number in range(1, 101)]) == Percentiles(50, 95)
    assert find_percentiles([7.0]) == Percentiles(7, 7)
    assert find_percentiles([]) == Percentiles(None, None)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Row 17 of “stock.csv” failed", "Row … of “…” failed"),
        ("job 0b7e6a52-1111-4222-8333-944444444444 is gone", "job … is gone"),
    ],
)
def test_messages_of_one_cause_read_alike(message: str, expected: str) -> None:
    assert normalise(message) == expected


def test_secrets_are_hidden_at_any_depth() -> None:
    shown = hide_secrets({"a": [{"Password": "x", "key": "y", "monkey": "z"}], "secret": None})
    assert shown == {"a": [{"Password": HIDDEN, "key": HIDDEN, "monkey": "z"}], "secret": None}


def test_the_own_part_of_a_traceback_has_no_library_in_it() -> None:
    trace = (
        "Traceback (most recent call last):\n"
        '  File "/srv/app/webapp/services/exports.py", line 3, in run\n'
        "    go()\n"
        '  File "/srv/app/.venv/lib/python3.11/site-packages/pandas/x.py", line 9, in read\n'
        "    fail()\n"
        "    ^^^^\n"
        "ValueError: a bug"
    )
    assert keep_own_frames(trace).splitlines() == [
        "Traceback (most recent call last):",
        '  File "/srv/app/webapp/services/exports.py", line 3, in run',
        "    go()",
        "ValueError: a bug",
    ]
