"""The rows of an export: exact, in a total order, of one moment, and easy to leave."""

import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import Select, column, func, literal, literal_column, select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop, product, save
from tests.support.jobs import ask, claim, look_at
from tests.support.processes import on_this_machine
from webapp.extensions import db
from webapp.models import TaskNotification, User
from webapp.models.base import Money
from webapp.pipeline.write_text import read_amount
from webapp.resources.registry import get_resource
from webapp.services import export_rows, jobs
from webapp.services.export_rows import build_query, count_rows, exact_amount, open_snapshot, stream_rows
from webapp.services.job_protocol import JobCancelled, JobRun

pytestmark = on_both_databases


def read(resource: str, sort: str = "", rows_at_once: int = 3) -> list[dict[str, Any]]:
    """Return all rows of a resource as an export gets them."""
    declared = get_resource(resource)
    query, number = build_query(declared, declared.fields, {}, sort)
    run = claim(ask())
    with open_snapshot() as connection:
        total = count_rows(connection, number, run)
        batches = list(stream_rows(connection, query, run, rows_at_once))
    names = [field.name for field in declared.fields]
    rows = [dict(zip(names, row, strict=True)) for batch in batches for row in batch]
    assert len(rows) == total == run.processed
    assert all(len(batch) == rows_at_once for batch in batches[:-1])
    return rows


@pytest.mark.parametrize("amount", ["0", "0.5", "-0.5", "-12.3456", "99999999999999.9999", "7"])
def test_an_amount_is_exact(session: Session, amount: str) -> None:
    found = session.scalar(select(exact_amount(literal(Decimal(amount), Money))))
    assert type(found) in (int, str)
    assert read_amount(found) == Decimal(amount)


def test_no_amount_is_none(session: Session) -> None:
    assert session.scalar(select(exact_amount(literal(None, Money)))) is None


def test_rows_have_plain_values(session: Session) -> None:
    fill_shop()
    found = next(row for row in read("products") if row["serial_number"] == "00123")
    assert read_amount(found["cost_price"]) == Decimal("2.5")
    assert (found["quantity"], found["brand"], found["description"]) == (8, "Bolt", None)


def test_moments_come_in_utc(session: Session) -> None:
    fill_shop()
    moment = read("inflows")[0]["occurred_at"]
    assert moment.utcoffset() == timedelta(0)
    assert datetime.now(UTC) - moment < timedelta(minutes=5)


def test_there_may_be_no_rows(session: Session) -> None:
    assert read("products") == []


def test_ties_keep_one_order_in_both_directions(session: Session) -> None:
    save("categories", {"name": "Tools"})
    save("products", *(product(f"{number:03}", title="same") for number in range(25)))
    upwards = [row["serial_number"] for row in read("products", "title")]
    assert upwards == [f"{number:03}" for number in range(25)]
    assert [row["serial_number"] for row in read("products", "-title")] == upwards[::-1]


def test_what_is_missing_stands_where_lists_put_it(session: Session) -> None:
    fill_shop()
    assert [row["brand"] or "" for row in read("products", "product_model")] == ["", "", "Bolt"]
    assert [row["brand"] or "" for row in read("products", "-product_model")] == ["Bolt", "", ""]


def test_a_query_that_is_left_early_leaves_the_connection_fit(session: Session) -> None:
    save("brands", *({"name": str(number)} for number in range(50)))
    query, number = build_query(get_resource("brands"), get_resource("brands").fields, {}, "")
    run = claim(ask())
    with open_snapshot() as connection:
        rows = stream_rows(connection, query, run, 5)
        next(rows)
        rows.close()
    with open_snapshot() as connection:
        assert count_rows(connection, number, run) == 50
    assert db.session.scalar(select(func.count()).select_from(TaskNotification)) == 1


def make_endless(database: str) -> Select[Any]:
    """Return a query that has no row for a minute."""
    if database == "postgresql":
        return select(func.pg_sleep(60))
    numbers = select(literal_column("1").label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(column("n") + 1).select_from(numbers))
    return select(func.count()).select_from(numbers)


def test_a_cancellation_interrupts_a_query_without_rows(
    session: Session, editor: User, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rows, "PATIENCE_SECONDS", 0.1)
    run = claim(ask(editor, model_name="brands"))
    asked_at: list[float] = []

    def cancel(run: JobRun, app: Any) -> None:
        with app.app_context():
            asked_at.append(time.monotonic())
            jobs.cancel_job(editor, run.task_id)
            db.session.remove()

    threading.Timer(0.3, cancel, (run, current_app._get_current_object())).start()  # type: ignore[attr-defined]
    with open_snapshot() as connection, pytest.raises(JobCancelled):
        count_rows(connection, make_endless(database), run)
    assert time.monotonic() - asked_at[0] < on_this_machine(2)
    assert look_at(run.id).status == "processing"


def test_a_snapshot_stays_at_its_first_moment(session: Session) -> None:
    with open_snapshot() as connection:
        first = connection.scalar(select(func.count()).select_from(TaskNotification))
        ask()
        assert connection.scalar(select(func.count()).select_from(TaskNotification)) == first
