"""Periodic work: once for each scheduled slot, whoever asks and however often."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tasks import queue
from tests.support.databases import on_both_databases
from tests.support.jobs import ask, change, look_at, lose_worker
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Metric, PeriodicSlot, TaskNotification, User
from webapp.models.base import utc_now
from webapp.models.clock import db_now
from webapp.services import job_protocol, metrics_job, periodic

SLOT = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)


def start(slot: datetime = SLOT) -> job_protocol.JobRun | None:
    """Do what a consumer's ticker does."""
    return periodic.start_slot("metrics", slot, "metrics", lambda: False)


def job_count() -> int:
    """Return how many jobs there are."""
    return len(db.session.scalars(select(TaskNotification.id)).all())


@pytest.mark.parametrize(
    ("clock", "every", "expected"),
    [("15:34:59", 5, "15:30"), ("15:35:00", 5, "15:35"), ("23:59:59", 5, "23:55"), ("15:34:59", 1, "15:34")],
)
def test_a_moment_belongs_to_the_slot_that_began_last(clock: str, every: int, expected: str) -> None:
    moment = datetime.fromisoformat(f"2026-11-23T{clock}+00:00")
    found = periodic.floor_slot(moment, timedelta(minutes=every))
    assert found == datetime.fromisoformat(f"2026-11-23T{expected}+00:00")


@on_both_databases
def test_a_slot_is_run_by_the_first_who_asks(session: Session) -> None:
    run = start()
    assert run is not None
    job_protocol.carry_out(run, metrics_job.run_metrics)
    assert start() is None
    assert (look_at(run.id).status, job_count()) == ("completed", 1)


@on_both_databases
def test_many_tickers_at_once_run_a_slot_once(app: Flask, session: Session) -> None:
    barrier, won = threading.Barrier(5), []

    def race() -> None:
        with app.app_context():
            barrier.wait()
            if run := start():
                won.append(run.id)

    threads = [threading.Thread(target=race) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), job_count()) == (1, 1)


@on_both_databases
def test_a_slot_is_skipped_while_the_run_before_it_goes_on(session: Session) -> None:
    assert start() is not None
    assert start(SLOT + timedelta(minutes=5)) is None
    assert job_count() == 1


@on_both_databases
def test_the_next_slot_runs_after_the_end_of_the_one_before(session: Session) -> None:
    for number in range(3):
        run = start(SLOT + timedelta(minutes=5 * number))
        assert run is not None
        job_protocol.carry_out(run, metrics_job.run_metrics)
    assert job_count() == 3


@on_both_databases
def test_a_slot_whose_worker_died_is_finished_by_another_one(session: Session) -> None:
    run = start()
    assert run is not None
    lose_worker(run.id)
    job_protocol.execute(run.id, metrics_job.run_metrics, lambda: False)
    assert (look_at(run.id).status, job_count()) == ("completed", 1)


@on_both_databases
def test_a_system_job_is_nobodys_news(session: Session) -> None:
    run = start()
    assert run is not None
    job_protocol.carry_out(run, metrics_job.run_metrics)
    job = look_at(run.id)
    assert (job.user_id, job.is_read) == (None, True)
    assert session.scalars(select(Metric.key)).all()


def test_the_scheduled_task_runs_the_slot_of_the_moment_once(session: Session) -> None:
    now = datetime.now(UTC)
    before = periodic.floor_slot(now, periodic.METRICS_EVERY)
    for _ in range(3):
        queue.TASKS["metrics"].call_local()
    slots = session.scalars(select(PeriodicSlot.slot)).all()
    assert set(slots) <= {before, before + periodic.METRICS_EVERY}  # the clock may pass a mark meanwhile
    assert job_count() == len(slots)


def test_a_refresh_can_be_asked_for(session: Session, admin: User) -> None:
    job_id = ask(admin, "metrics")
    queue.TASKS["metrics"].call_local(job_id)
    assert look_at(job_id).status == "completed"


@on_both_databases
def test_old_system_jobs_and_slots_go_and_others_stay(session: Session, editor: User) -> None:
    now, kept = utc_now(), [ask(editor), ask(task_type="metrics", queue_key="running")]
    change(kept[0], status="completed", completed_at=db_now(-99 * 24 * 3600))
    run = start()
    assert run is not None
    job_protocol.carry_out(run, metrics_job.run_metrics)
    change(run.id, completed_at=db_now(-25 * 3600))
    with write_transaction() as writing:
        writing.add(PeriodicSlot(name="old", slot=now - timedelta(days=3)))
    assert periodic.prune_system_jobs(now) == 1
    assert session.scalars(select(TaskNotification.id).order_by(TaskNotification.id)).all() == kept
    assert "old" not in session.scalars(select(PeriodicSlot.name)).all()
