"""Exports in a real browser: put together by keyboard, without a script, kept, and shown in every light."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.steps import download, sign_in
from tests.support.browser import PHONE, Visitor
from tests.support.factories import fill_shop
from tests.support.houses import MakeApp
from tests.support.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def shop(make_app: MakeApp, stack: Stack) -> Stack:
    """A running house with something of every kind in it."""
    with make_app().app_context():
        fill_shop()
    stack.start_web()
    stack.start_worker()
    return stack


def open_form(page: Page) -> None:
    """Go to the form of an export by the navigation."""
    page.get_by_role("navigation").get_by_role("link", name="Exports", exact=True).click()
    page.get_by_role("link", name="New export").first.click()
    expect(page.get_by_role("heading", name="New export", level=1)).to_be_visible()


def read_file(page: Page) -> list[str]:
    """Wait for the job's page to offer the file; return its lines."""
    link = page.get_by_role("main").get_by_role("link", name="Download")
    expect(link).to_be_visible()
    return download(page, link).decode("utf-8-sig").splitlines()


def test_columns_are_ordered_by_keyboard_and_the_estimate_follows_the_choices(
    shop: Stack, visitor: Visitor
) -> None:
    page = visitor.page
    sign_in(page, shop.url)
    open_form(page)
    estimate = page.locator("#export-estimate")
    expect(estimate).to_contain_text("3 records")
    page.get_by_role("button", name="Tick none").click()
    for name in ("Title", "Sell price"):
        page.get_by_role("checkbox", name=name, exact=True).check()
    up = page.get_by_role("button", name="Move Sell price up")
    up.focus()
    for _ in range(7):
        page.keyboard.press("Enter")
    expect(page.get_by_text("Sell price is now column 1.")).to_be_attached()
    expect(page.get_by_role("button", name="Move Sell price down")).to_be_focused()
    page.get_by_label("Search", exact=True).fill("cafe")
    expect(estimate).to_contain_text("1 record")
    page.get_by_role("radio", name="PDF").check()
    expect(estimate).to_contain_text("about 1 page, less than a minute")
    page.get_by_role("radio", name="CSV").check()
    page.get_by_label("Preset").select_option(label="Excel, Brazil")
    expect(page.get_by_label("Columns are separated by")).to_be_hidden()
    page.get_by_role("button", name="Export", exact=True).click()
    assert read_file(page) == ["sell_price;title", "4,90;Café"]


def test_what_is_typed_while_an_estimate_is_on_its_way_is_asked_for_next(
    shop: Stack, visitor: Visitor
) -> None:
    page = visitor.page
    sign_in(page, shop.url)
    open_form(page)
    on_their_way: list[Route] = []

    def hold(route: Route) -> None:
        on_their_way.append(route)

    page.route("**/exports/estimate*", hold, times=1)
    with page.expect_request("**/exports/estimate*"):
        page.get_by_role("checkbox", name="Title", exact=True).uncheck()
    page.get_by_label("Search", exact=True).press_sequentially("cafe")
    on_their_way[0].continue_()  # answered while what was typed still waits to be asked
    expect(page.locator("#export-estimate")).to_contain_text("1 record")


@pytest.mark.parametrize("window", [{"java_script_enabled": False}], indirect=True)
def test_without_a_script_columns_are_numbered_and_filters_applied(shop: Stack, visitor: Visitor) -> None:
    page = visitor.page
    sign_in(page, shop.url)
    open_form(page)
    page.get_by_label("Add a filter by").select_option(label="Serial number")
    page.get_by_label("The value to look for").fill("00123")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#export-estimate")).to_contain_text("1 record")
    for box in page.get_by_role("group", name="Columns and their order").get_by_role("checkbox").all():
        box.uncheck()
    for name, place in (("Quantity", "1"), ("Serial number", "2")):
        page.get_by_role("checkbox", name=name, exact=True).check()
        page.get_by_label(f"Place of the column {name}").fill(place)
    page.get_by_role("button", name="Export", exact=True).click()
    assert read_file(page)[0] == "quantity,serial_number"


def test_an_export_is_saved_scheduled_run_and_deleted(shop: Stack, visitor: Visitor) -> None:
    page = visitor.page
    sign_in(page, shop.url)
    open_form(page)
    page.get_by_text("Save these choices to run them again").click()
    expect(page.get_by_label("At", exact=True)).to_be_hidden()
    page.get_by_label("Name", exact=True).fill("Friday's list")
    page.get_by_label("Runs").select_option(label="every week")
    page.get_by_label("On", exact=True).select_option(label="Friday")
    page.get_by_role("button", name="Save", exact=True).click()
    row = page.get_by_role("row", name="Friday's list")
    expect(row).to_contain_text("Every week on Friday")
    row.get_by_role("button", name="Run Friday's list").click()
    assert len(read_file(page)) > 3
    page.get_by_role("navigation").get_by_role("link", name="Exports", exact=True).click()
    row.get_by_role("button", name="Delete Friday's list").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("“Friday's list” was deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="Download")).to_be_visible()


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"viewport": PHONE}], ids=["dark", "phone"])
def test_no_page_of_exports_is_wider_than_its_window(
    shop: Stack, open_as: Callable[..., Page], options: dict[str, object]
) -> None:
    page = open_as("editor", **options)
    for path in ("/exports/", "/exports/new", "/exports/new?category=Tools&low_stock=1&format=pdf"):
        page.goto(shop.url + path)
        wide, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= window, path
