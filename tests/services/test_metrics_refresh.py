"""Refreshing the dashboard's figures besides their schedule: asked for by many, done once, and never too old."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.databases import on_both_databases
from tests.support.factories import product, quantity_of, save, stock_up
from tests.support.houses import drain_queue
from tests.support.jobs import ask, carry_out, change, claim, look_at, lose_worker
from webapp.database import write_transaction
from webapp.errors import Forbidden
from webapp.extensions import db
from webapp.models import Metric, TaskNotification, User
from webapp.models.clock import db_now
from webapp.services import job_protocol, jobs, metrics, metrics_job, metrics_refresh

pytestmark = pytest.mark.usefixtures("session")


def list_refreshes() -> list[TaskNotification]:
    """All refreshes, oldest first."""
    db.session.rollback()
    query = select(TaskNotification).where(TaskNotification.task_type == "metrics")
    return list(db.session.scalars(query.order_by(TaskNotification.id)))


def sold_units() -> int:
    """What the dashboard says was sold, ever."""
    db.session.rollback()
    units: int = metrics.get_sales_metrics()["value"]["all_time"]["units"]
    return units


def compute_due(refresh: TaskNotification) -> None:
    """Let its time come, and do what a worker does."""
    change(refresh.id, run_after=db_now(-1))
    carry_out(refresh.id, metrics_job.run_metrics)
    assert look_at(refresh.id).status == "completed"


@on_both_databases
def test_many_changes_are_one_refresh_a_little_later() -> None:
    stock_up("A-1", quantity=9)
    assert list_refreshes() == [], "an import of this size would ask with each batch"
    for number in range(3):
        save("outflows", {"reference": f"S-{number}", "product": "A-1", "quantity": 1}, source="form")
    (refresh,) = list_refreshes()
    assert refresh.status == "pending"
    wait = refresh.run_after - refresh.created_at
    assert timedelta(seconds=9) < wait < timedelta(seconds=11)


def test_nothing_saved_asks_for_nothing() -> None:
    save("categories", {"name": "Tools"})
    save("categories", {"name": "Tools"}, source="form")
    assert list_refreshes() == []


def test_what_changes_while_figures_are_computed_is_computed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stock_up("A-1", quantity=9)
    save("outflows", {"reference": "S-1", "product": "A-1", "quantity": 1}, source="form")
    (first,) = list_refreshes()
    compute = metrics.compute_metrics

    def compute_slowly(now: datetime | None = None) -> dict[str, Any]:
        values = compute(now)
        save("outflows", {"reference": "S-2", "product": "A-1", "quantity": 2}, source="form")
        return values

    with monkeypatch.context() as patch:
        patch.setattr(metrics, "compute_metrics", compute_slowly)
        compute_due(first)
    assert sold_units() == 1
    _, second = list_refreshes()
    compute_due(second)
    assert sold_units() == 3
    assert [job.status for job in list_refreshes()] == ["completed", "completed"]


@on_both_databases
def test_older_figures_do_not_overwrite_newer_ones() -> None:
    now = datetime.now(UTC)
    values = metrics.compute_metrics(now)
    for moment in (now, now - timedelta(seconds=1)):
        with write_transaction() as session:
            metrics.store_metrics(session, values, moment)
    assert {row.computed_at for row in db.session.scalars(select(Metric))} == {now}


def test_refresh_now_brings_the_waiting_one_forward(editor: User) -> None:
    stock_up("A-1", quantity=9)
    save("outflows", {"reference": "S-1", "product": "A-1", "quantity": 4}, source="form")
    asked = metrics_refresh.refresh_now(editor)
    assert [job.id for job in list_refreshes()] == [asked.id]
    drain_queue()
    assert look_at(asked.id).status == "completed"
    assert sold_units() == 4


def test_refresh_now_twice_is_once(editor: User) -> None:
    assert metrics_refresh.refresh_now(editor).id == metrics_refresh.refresh_now(editor).id


@on_both_databases
def test_it_says_whether_figures_are_being_computed(editor: User) -> None:
    assert not metrics_refresh.is_refreshing()
    refresh = metrics_refresh.refresh_now(editor)
    assert metrics_refresh.is_refreshing()
    change(refresh.id, run_after=db_now(-61))
    assert not metrics_refresh.is_refreshing(), "nobody takes it: that is no news any more"
    change(refresh.id, run_after=db_now(5))
    assert not metrics_refresh.is_refreshing(), "its time has not come"
    compute_due(refresh)
    assert not metrics_refresh.is_refreshing()


def test_a_viewer_does_not_refresh(viewer: User) -> None:
    with pytest.raises(Forbidden):
        metrics_refresh.refresh_now(viewer)


def test_a_consumer_that_starts_refreshes_once_for_all_its_processes() -> None:
    started = datetime(2026, 11, 23, 12, 34, 56, tzinfo=UTC)
    metrics_refresh.refresh_at_start(started)
    drain_queue()
    metrics_refresh.refresh_at_start(started)
    assert [job.status for job in list_refreshes()] == ["completed"]
    metrics_refresh.refresh_at_start(started + timedelta(minutes=1))
    assert len(list_refreshes()) == 2


@pytest.mark.parametrize("task_type", ["import", "import_undo"])
def test_the_end_of_an_import_asks_for_a_refresh(editor: User, task_type: str) -> None:
    def end(run: job_protocol.JobRun) -> None:
        with run.batch() as session:
            run.complete(session)

    carry_out(ask(editor, task_type), end)
    assert len(list_refreshes()) == 1


def test_a_failed_import_has_saved_rows_too(editor: User) -> None:
    def fail(run: job_protocol.JobRun) -> None:
        raise ValueError(run.task_id)

    carry_out(ask(editor, "import"), fail)
    assert len(list_refreshes()) == 1


def test_so_has_one_that_killed_its_workers(editor: User) -> None:
    job_id = ask(editor, "import")
    for _ in range(3):
        change(job_id, run_after=db_now(-1))
        claim(job_id)
        lose_worker(job_id)
    assert look_at(job_id).status == "failed"
    assert len(list_refreshes()) == 1


def test_an_export_changes_no_figure(editor: User) -> None:
    job_id = ask(editor, "export")
    jobs.cancel_job(editor, look_at(job_id).task_id)
    assert list_refreshes() == []


def test_a_form_that_saves_a_product_is_seen_too() -> None:
    save("categories", {"name": "Tools"})
    save("products", product("A-9", quantity=2), source="form")
    assert (quantity_of("A-9"), len(list_refreshes())) == (2, 1)
