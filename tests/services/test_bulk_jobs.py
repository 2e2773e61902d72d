"""More records than somebody waits for: done by a job in batches, which can be stopped and taken up again."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.support.databases import on_both_databases
from tests.support.factories import product, save, stock_up
from tests.support.houses import drain_queue, load_person, sign_in
from tests.support.pages import post, soup
from webapp.errors import Forbidden, Invalid
from webapp.extensions import db
from webapp.models import Change, Product, TaskNotification, User
from webapp.resources.registry import get_resource
from webapp.routes import record_bulk
from webapp.services import jobs
from webapp.services.bulk_jobs import list_refused, request_deletion, request_edit
from webapp.services.bulk_selection import Selection
from webapp.services.import_batches import BatchSize

PRODUCTS = get_resource("products")
TOOLS = Selection(PRODUCTS, filters={"category": "tools"}, is_everything=True)


@pytest.fixture
def editor(app: Flask) -> User:
    return load_person(app, "editor")


def add_products(count: int, start: int = 0) -> None:
    """Save products of the category Tools that nothing refers to."""
    save("products", *(product(f"P-{number:03}") for number in range(start, start + count)))


def carried_out(task_id: str) -> TaskNotification:
    """Let a worker do what waits, and return the job as it has become."""
    drain_queue()
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(TaskNotification).where(TaskNotification.task_id == task_id)).one()


def count_changes(job: TaskNotification, action: str) -> tuple[int, int]:
    """Return how many changes a job has made, and of how many records."""
    query = select(func.count(), func.count(Change.record_id.distinct()))
    found = db.session.execute(query.where(Change.job_id == job.id, Change.action == action)).one()
    return found[0], found[1]


@on_both_databases
def test_all_that_match_are_changed_but_none_that_came_later(app: Flask, editor: User) -> None:
    with app.app_context():
        save("categories", {"name": "Tools"}, {"name": "Toys"})
        add_products(30)
        save("products", product("X", category="Toys"))
        job = request_edit(editor, TOOLS, "sell_price", "7,25", decimal=",")
        again = request_edit(editor, TOOLS, "sell_price", "7.25")
        assert again.task_id == job.task_id, "a double click asks once"
        add_products(1, start=30)
        job = carried_out(job.task_id)
        assert (job.status, job.processed, job.total, job.updated, job.failed) == ("completed", 30, 30, 30, 0)
        prices = db.session.execute(select(Product.serial_number, Product.sell_price)).all()
        assert {name for name, price in prices if price != Decimal("7.25")} == {"X", "P-030"}
        assert count_changes(job, "updated") == (30, 30)


@on_both_databases
def test_what_is_in_use_stays_and_the_job_names_it(app: Flask, editor: User) -> None:
    with app.app_context():
        stock_up("A", quantity=3)
        add_products(12)
        job = carried_out(request_deletion(editor, TOOLS).task_id)
        assert (job.status, job.updated, job.failed, job.record_count) == ("completed", 12, 1, 12)
        assert [(item.name, "used by" in str(item.problem)) for item in list_refused(job)] == [
            ("Product A", True)
        ]
        assert db.session.scalars(select(Product.serial_number)).all() == ["A"]
        browser = app.test_client()
        sign_in(browser, editor)
        page = soup(browser.get(f"/jobs/{job.task_id}"))
    shown = page.select_one("#job-progress")
    assert shown is not None
    assert "12 records deleted." in shown.get_text()
    assert "1 record stays as it was" in " ".join(shown.get_text().split())
    assert [item.get_text() for item in shown.select(".plain-title")] == ["Product A"]


def test_a_job_that_was_stopped_says_how_far_it_came_and_goes_on_there(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(_size: BatchSize, ids: Sequence[int]) -> Iterator[Sequence[int]]:
        for start in range(0, len(ids), 10):
            if start == 10:
                jobs.cancel_job(editor, job.task_id)
            yield ids[start : start + 10]

    with app.app_context():
        save("categories", {"name": "Tools"})
        add_products(40)
        job = request_edit(editor, TOOLS, "description", "New")
        with monkeypatch.context() as patch:
            patch.setattr(BatchSize, "cut", cut)
            job = carried_out(job.task_id)
        assert (job.status, job.processed, job.total, job.updated) == ("cancelled", 20, 40, 20)
        browser = app.test_client()
        sign_in(browser, editor)
        assert "It came to 20 of 40 records" in soup(browser.get(f"/jobs/{job.task_id}")).get_text()
        jobs.retry_job(editor, job.task_id)
        job = carried_out(job.task_id)
        assert (job.status, job.processed, job.total, job.updated) == ("completed", 40, 40, 40)
        assert count_changes(job, "updated") == (40, 40), "each record once"


def test_what_no_record_can_take_and_who_may_not_are_refused_at_once(app: Flask, editor: User) -> None:
    viewer = load_person(app, "viewer")
    with app.app_context():
        with pytest.raises(Invalid):
            request_edit(editor, TOOLS, "sell_price", "cheap")
        with pytest.raises(Invalid):
            request_deletion(editor, Selection(PRODUCTS, filters={"quantity_from": "x"}, is_everything=True))
        with pytest.raises(Forbidden):
            request_deletion(viewer, TOOLS)
        assert db.session.scalar(select(func.count()).select_from(TaskNotification)) == 0


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_a_page_hands_many_to_a_job(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setattr(record_bulk, "MOST", 2)
    with app.app_context():
        save("categories", {"name": "Tools"})
        add_products(3)
        db.session.remove()
    browser = app.test_client()
    sign_in(browser, editor)
    form = {
        "action": action,
        "everything": "yes",
        "filter-category": "tools",
        "field": "description",
        "value": "N",
    }
    question = post(browser, "/products/bulk", data=form)
    assert "in the background" in question.get_data(as_text=True)
    answer = post(browser, "/products/bulk", data=form | {"confirmed": "yes", "expected": "3"})
    assert answer.status_code == 303
    with app.app_context():
        job = carried_out(answer.location.rsplit("/", 1)[-1])
        assert (job.task_type, job.status, job.updated) == (f"bulk_{action}", "completed", 3)
