"""Every page in the browser: the policy holds, no script fails, and a telephone shows all of its width."""

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.steps import sign_in
from tests.support.browser import DESKTOP, PHONE, Visitor
from tests.support.factories import fill_shop, stock_up
from tests.support.houses import drain_queue, load_person
from tests.support.imports import bring_in, check, upload
from tests.support.stack import Stack
from webapp.extensions import db
from webapp.models import DataImport, TaskNotification, User
from webapp.resources.registry import RESOURCES
from webapp.services import exports, jobs

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WINDOWS = {
    "desktop": {"viewport": DESKTOP, "color_scheme": "light"},
    "telephone": {"viewport": PHONE, "color_scheme": "dark", "has_touch": True},
}
LONG = "Extraordinarily_long_name_without_a_single_space_" * 4


def fill_house(app: Flask) -> list[str]:
    """Leave something on every page, and return the addresses of them all."""
    with app.app_context():
        fill_shop()
        stock_up(*(f"{LONG}{number}" for number in range(60)), quantity=3)
        admin = load_person(app, "admin")
        applied = bring_in(admin, "brands", f"name,description\n{LONG},{LONG}\n,nameless\n")
        blocked = check(
            admin, upload(admin, "outflows", "reference,product,quantity\nX,nobody,1\n"), on_error="abort"
        )
        waiting = upload(admin, "suppliers", f"CompanyName,{LONG}\nNorthern,x\n")
        dated = upload(
            admin, "inflows", f"product,quantity,date\n{LONG}0,1,03/04/2026\n{LONG},1,05/06/2026\n"
        )
        words = f"serial_number,title,category,cost_price,sell_price\n{LONG},x,{LONG},1,2\nA,,Tools,cheap,2\n"
        checked = check(admin, upload(admin, "products", words))
        page = f"/imports/{_import_of(applied)}"
        finished = exports.request_export(admin, "products", "csv", filters={"q": LONG})
        drain_queue()
        pending = exports.request_export(admin, "brands", "csv")
        return [
            *_plain_pages(),
            *_job_pages(admin),
            *(f"/imports/{item.public_id}" for item in (waiting, dated, checked, blocked)),
            *(page, f"{page}/undo", f"{page}/rows/3", f"{page}/errors"),
            *(f"/jobs/{job.task_id}" for job in (applied, finished, pending)),
        ]


def _plain_pages() -> list[str]:
    lists = [f"/{name}/" for name in RESOURCES]
    records = [f"/{name}/1" for name in RESOURCES]
    records += [f"/{name}/{path}" for name in RESOURCES for path in ("new", "1/edit", "1/delete")]
    others = ["/", "/imports/", "/imports/new", "/exports/new", "/jobs/", "/notifications/"]
    others += ["/audit/", "/audit/?window=custom", "/products/1/history", "/stock-counts/new"]
    others += ["/account/", "/users/", "/users/new", "/users/1", "/users/tokens/"]
    return [*others, *lists, *records, "/products/?q=nothing+like+it", "/products/?quantity=many", "/nowhere"]


def _import_of(job: TaskNotification) -> str:
    found = db.session.get(DataImport, job.data_import_id)
    assert found is not None
    return found.public_id


def _job_pages(actor: User) -> list[str]:
    return [f"/jobs/{job.task_id}" for job in jobs.list_jobs(actor)]


@pytest.mark.parametrize("window", WINDOWS.values(), ids=list(WINDOWS), indirect=True)
def test_every_page_is_whole_and_in_order(app: Flask, stack: Stack, visitor: Visitor) -> None:
    addresses = fill_house(app)
    stack.start_web()
    page = visitor.page
    sign_in(page, stack.url, "admin")
    for address in dict.fromkeys(addresses):
        page.goto(stack.url + address)
        expect(page.get_by_role("main")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        assert _overflow(page) <= 0, f"{address} is wider than the window"
        unexpected = [item for item in visitor.complaints if "404 (NOT FOUND)" not in item]
        assert unexpected == [], address
    visitor.complaints.clear()  # /nowhere, which is not there


def _overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_the_policy_is_really_kept_by_the_browser(stack: Stack, visitor: Visitor) -> None:
    """The proof that the check of every other test can fail."""
    stack.start_web()
    page = visitor.page
    sign_in(page, stack.url)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">x</p>')")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))"
    )
    expect(page.locator("body")).to_be_visible()
    assert page.evaluate("window.ran") is None
    assert any("style-src-attr" in item for item in visitor.complaints)
    assert any("script-src-elem" in item for item in visitor.complaints)
    visitor.complaints.clear()
