"""Counting in the browser: with a scanner's haste, by keyboard alone, without a script; and what becomes low."""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Dialog, Page, expect

from tests.browser.steps import sign_in
from tests.support.browser import DESKTOP, PHONE, Visitor
from tests.support.factories import product, quantity_of, save
from tests.support.houses import load_person
from tests.support.imports import start, upload
from tests.support.processes import wait_until
from tests.support.stack import Stack
from webapp.extensions import db

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WINDOWS = {
    "desktop": {"viewport": DESKTOP, "color_scheme": "light"},
    "telephone": {"viewport": PHONE, "color_scheme": "dark", "has_touch": True},
}


@pytest.fixture
def shop(app: Flask) -> Flask:
    """A shop with a few things to count."""
    with app.app_context():
        save("categories", {"name": "Tools"})
        save(
            "products",
            product("7891000100103", title="Green tea, 20 bags", quantity=10, reorder_level=3),
            product("7891000100110", title="Black tea, 20 bags", quantity=5, reorder_level=3),
            product("SKU-7", title="Porcelain teapot with a long name, white", quantity=1200),
        )
    return app


def scan(page: Page, text: str) -> None:
    """Type as a scanner does: the code and Enter, without a pause."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def wait_until_settled(page: Page) -> None:
    """Wait until the last answer has moved the focus to where it belongs."""
    busy = page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")
    expect(busy).to_have_count(0)


def stay_when_asked(page: Page) -> list[str]:
    """Stay on the page when it asks whether to leave; return the list of what it will have asked."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    return asked


def open_count(page: Page, url: str) -> None:
    """Go to the page of a new count."""
    sign_in(page, url)
    page.goto(f"{url}/stock-counts/new")
    expect(page.get_by_label("Product", exact=True)).to_be_focused()
    page.wait_for_load_state()


def test_a_scanner_does_not_wait_for_the_page(shop: Flask, stack: Stack, visitor: Visitor) -> None:
    stack.start_web()
    page = visitor.page
    open_count(page, stack.url)
    visitor.mark()
    for code in ("7891000100103", "7891000100110", "7891000100103", "SKU-7", "7891000100103"):
        scan(page, code)
    counted = page.get_by_label("Counted of Green tea, 20 bags")
    expect(counted).to_have_value("3")
    expect(page.get_by_label("Counted of Black tea, 20 bags")).to_have_value("1")
    expect(page.get_by_label("Counted of Porcelain")).to_have_value("1")
    expect(page.get_by_label("Product", exact=True)).to_have_value("")
    expect(page.get_by_label("Product", exact=True)).to_be_focused()
    wait_until_settled(page)
    counted.fill("8")
    page.get_by_label("Reason").press_sequentially("Yearly count", delay=60)  # the answer comes meanwhile
    expect(page.get_by_role("row").filter(has=counted)).to_contain_text("\N{MINUS SIGN}2")
    expect(page.get_by_label("Reason")).to_have_value("Yearly count")
    assert visitor.is_marked(), "the page was reloaded"
    page.get_by_role("button", name="Apply the count of 3 products").click()
    expect(page.get_by_text("3 products were set right, 0 were as they should be.")).to_be_visible()
    with shop.app_context():
        assert quantity_of("7891000100103") == 8


def test_a_product_is_found_by_its_name_while_it_is_typed(
    shop: Flask, stack: Stack, visitor: Visitor
) -> None:
    stack.start_web()
    page = visitor.page
    open_count(page, stack.url)
    visitor.mark()
    product_field = page.get_by_label("Product", exact=True)
    page.keyboard.type("tea 20")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Counted of Black tea, 20 bags")).to_have_value("1")
    expect(product_field).to_have_value("")
    expect(product_field).to_be_focused()
    expect(options).to_have_count(0)
    page.keyboard.type("pot")
    page.get_by_role("option", name="Porcelain").click()
    expect(page.get_by_label("Counted of Porcelain")).to_have_value("1")
    for _ in range(3):
        scan(page, "SKU-7")
    expect(page.get_by_label("Counted of Porcelain")).to_have_value("4")
    page.wait_for_timeout(400)  # longer than the list waits for one who types
    expect(page.locator("#scan-options")).to_be_hidden()
    assert visitor.is_marked(), "the page was reloaded"


def test_a_count_just_typed_is_the_one_that_is_applied(shop: Flask, stack: Stack, visitor: Visitor) -> None:
    stack.start_web()
    page = visitor.page
    open_count(page, stack.url)
    scan(page, "SKU-7")
    expect(page.get_by_label("Counted of Porcelain")).to_have_value("1")
    expect(page.get_by_label("Product", exact=True)).to_be_focused()
    wait_until_settled(page)
    page.get_by_label("Counted of Porcelain").fill("1199")
    asked = stay_when_asked(page)
    page.get_by_role("link", name="Dashboard").click()
    wait_until(lambda: asked == ["beforeunload"], lambda: "left without a word, and the count with it")
    page.get_by_role("button", name="Apply the count of 1 product").click()
    expect(page.get_by_text("1 product was set right, 0")).to_be_visible()
    with shop.app_context():
        assert quantity_of("SKU-7") == 1199


@pytest.mark.parametrize("window", [{"java_script_enabled": False}], indirect=True, ids=["no script"])
def test_a_count_needs_no_script(shop: Flask, stack: Stack, visitor: Visitor) -> None:
    stack.start_web()
    page = visitor.page
    sign_in(page, stack.url)
    page.get_by_role("navigation").get_by_role("link", name="Stock count").click()
    page.get_by_label("Product", exact=True).fill("tea, 20")
    page.get_by_label("Product", exact=True).press("Enter")
    page.get_by_role("button", name="Black tea").click()
    page.get_by_label("Counted of Black tea, 20 bags").fill("7")
    page.get_by_role("button", name="Show the differences").click()
    expect(page.get_by_role("row").filter(has_text="Black tea")).to_contain_text("+2")
    page.get_by_role("button", name="Apply the count").click()
    expect(page.get_by_text("1 product was set right, 0")).to_be_visible()
    with shop.app_context():
        assert quantity_of("7891000100110") == 7


@pytest.mark.parametrize("window", WINDOWS.values(), indirect=True, ids=list(WINDOWS))
def test_the_list_fits_its_window(shop: Flask, stack: Stack, visitor: Visitor) -> None:
    stack.start_web()
    page = visitor.page
    open_count(page, stack.url)
    for code in ("SKU-7", "7891000100110", "tea"):
        scan(page, code)
    expect(page.get_by_text("Which product is it?")).to_be_visible()
    expect(page.get_by_label("Counted of Porcelain")).to_have_value("1")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_what_becomes_low_is_said_in_one_toast_however_much_it_is(
    shop: Flask, stack: Stack, open_as: Callable[..., Page]
) -> None:
    numbers = [f"N-{place:04}" for place in range(1500)]
    with shop.app_context():
        save("products", *(product(number, quantity=6, reorder_level=5) for number in numbers))
        editor = load_person(shop, "editor")
        rows = "".join(f"{number},S-{number},1\n" for number in numbers)
        given = upload(editor, "outflows", "product,reference,quantity\n" + rows)
    stack.start_web()
    watching, reading = open_as("admin"), open_as("viewer")
    asked: list[str] = []
    watching.on("request", lambda request: asked.append(request.url) if "low-stock" in request.url else None)
    with shop.app_context():
        start(editor, given)
        db.session.remove()
    stack.start_worker()
    toast = watching.locator("#toast-low-stock")
    expect(toast).to_contain_text("1,500 products became low")
    assert watching.locator("#toasts article").filter(has_text="low").count() == 1
    assert len(asked) <= 6, asked
    expect(reading.locator("#toasts article")).to_have_count(0)
    toast.get_by_role("link", name="Show low stock").click()
    expect(watching).to_have_url(f"{stack.url}/products/?low_stock=1")
    watching.goto(f"{stack.url}/notifications/")
    expect(watching.get_by_text("1,500 products became low")).to_be_visible()
