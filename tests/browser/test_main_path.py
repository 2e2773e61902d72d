"""The main job, from the sign-in to the downloaded file, in the real processes."""

from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.steps import apply, ask_for_csv, check, column_for, download, open_list, sign_in, upload
from tests.support.browser import Visitor
from tests.support.factories import stock_up
from tests.support.houses import load_person
from tests.support.processes import wait_until
from tests.support.stack import Stack
from webapp.services import exports, files, jobs
from webapp.services.job_protocol import JobRun, owner_name

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EVERYTHING_ELSE = [
    pytest.param("sqlite", "eventlet", id="eventlet"),
    pytest.param("sqlite", "threading", id="threading"),
    pytest.param("postgresql", "eventlet", id="postgresql-eventlet", marks=pytest.mark.soak),
    pytest.param("postgresql", "threading", id="postgresql-threading", marks=pytest.mark.soak),
]
NO_SCRIPT = [{"java_script_enabled": False}]


@pytest.fixture
def categories_file(tmp_path: Path) -> Path:
    """A file whose headers are not ours."""
    file = tmp_path / "kinds.csv"
    file.write_text(
        'CategoryID,CategoryName,Description\n1,Beverages,"Soft drinks, coffees"\n2,Café,Hot\n', "utf-8"
    )
    return file


def written_by_the_service(app: Flask) -> bytes:
    """Return the CSV of the products as the service writes it in this process."""
    with app.app_context():
        actor = load_person(app, "editor")
        job = exports.request_export(actor, "products", "csv", claimed_by=owner_name())
        exports.run_export(JobRun(job, should_stop=lambda: False))
        with files.open_for_reading(str(job.file_path)) as file:
            return file.read()


@pytest.mark.parametrize(("database", "server"), EVERYTHING_ELSE, indirect=["database"])
def test_a_file_goes_in_and_another_comes_out_without_a_reload(
    app: Flask, stack: Stack, visitor: Visitor, categories_file: Path, server: str
) -> None:
    with app.app_context():
        stock_up("A-1", "A-2", quantity=5)
    stack.environment["ASYNC_MODE"] = server
    stack.start_web()
    page = visitor.page
    sign_in(page, stack.url)

    upload(page, "Categories", categories_file)
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    visitor.mark()
    stack.start_worker()
    expect(page.get_by_role("heading", name="Match columns")).to_be_visible()
    expect(column_for(page, "Name")).to_have_value("CategoryName")
    assert visitor.is_marked(), "the page was reloaded"

    check(page)
    apply(page, 2)
    toast = page.get_by_role("article").filter(has_text="Import of Categories is done")
    expect(toast).to_be_visible()
    rows = open_list(page, "Categories")
    expect(rows.filter(has_text="Beverages")).to_contain_text("Soft drinks, coffees")
    expect(rows).to_have_count(1 + 3)  # with the header and Tools

    open_list(page, "Products")
    visitor.mark()
    ask_for_csv(page)
    ready = page.get_by_role("article").filter(has_text="Export of Products is ready")
    data = download(page, ready.get_by_role("link", name="Download"))
    assert visitor.is_marked(), "the page was reloaded"
    assert data == written_by_the_service(app)
    assert data.count(b"\n") == 3


def test_a_column_is_chosen_by_hand_and_a_bad_row_is_named(
    stack: Stack, visitor: Visitor, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("who,reach\nNorthern,not an address\nSouthern,s@shop.example\n")
    stack.start_web()
    stack.start_worker()
    page = visitor.page
    sign_in(page, stack.url)
    upload(page, "Suppliers", file)
    column_for(page, "Name").select_option("who")
    column_for(page, "E-mail").select_option("reach")
    check(page)
    apply(page, 1)
    errors = page.get_by_role("row").filter(has_text="“not an address” is not an e-mail address.")
    expect(errors).to_be_visible()
    expect(errors).to_contain_text("2")
    expect(open_list(page, "Suppliers")).to_have_count(1 + 1)


def wait_by_reloading(page: Page, text: str) -> None:
    """Do what the page without scripts does by itself, only sooner."""
    for _ in range(100):
        if page.get_by_text(text).first.is_visible():
            return
        page.wait_for_timeout(200)
        page.reload()
    expect(page.get_by_text(text).first).to_be_visible()


@pytest.mark.parametrize("window", NO_SCRIPT, indirect=True, ids=["no script"])
def test_the_whole_path_works_without_javascript(
    app: Flask, stack: Stack, visitor: Visitor, categories_file: Path
) -> None:
    with app.app_context():
        stock_up("A-1", quantity=5)
    stack.start_web()
    stack.start_worker()
    page = visitor.page
    sign_in(page, stack.url)
    upload(page, "Categories", categories_file)
    wait_by_reloading(page, "Match columns")
    page.get_by_role("button", name="Check 2 rows").click()
    wait_by_reloading(page, "What would happen")
    apply(page, 2)
    wait_by_reloading(page, "Everything was imported")
    expect(open_list(page, "Categories")).to_have_count(1 + 3)
    open_list(page, "Products")
    ask_for_csv(page)
    wait_by_reloading(page, "Download")
    data = download(page, page.get_by_role("link", name="Download"))
    assert data == written_by_the_service(app)


def test_a_toast_that_was_missed_is_shown_on_the_next_page(
    app: Flask, stack: Stack, visitor: Visitor
) -> None:
    stack.start_web()
    page = visitor.page
    sign_in(page, stack.url)
    open_list(page, "Brands")
    ask_for_csv(page)
    expect(page.get_by_role("article").filter(has_text="Preparing the export")).to_be_visible()
    page.goto("about:blank")
    worker = stack.start_worker()
    wait_until(lambda: count_unread(app), worker.output)
    page.goto(stack.url)
    expect(page.get_by_role("article").filter(has_text="Export of Brands is ready")).to_be_visible()


def count_unread(app: Flask) -> int:
    """Return how much news the editor has."""
    with app.app_context():
        return jobs.count_unread(load_person(app, "editor"))
