"""Lists in the browser: the search by its key, filters with type-ahead, the view that is remembered, many records at once."""

import re

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.steps import sign_in
from tests.support.browser import Visitor
from tests.support.factories import fill_shop, product, save
from tests.support.stack import Stack
from webapp.extensions import db
from webapp.models import Product

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def fill(app: Flask) -> None:
    """Leave enough products for two pages of 25, one of them sold."""
    with app.app_context():
        fill_shop()
        save("products", *(product(f"N-{number:02}", title=f"Nail {number:02}") for number in range(40)))
        db.session.remove()


@pytest.fixture
def page(app: Flask, stack: Stack, visitor: Visitor) -> Page:
    """An editor's list of products."""
    fill(app)
    stack.start_web()
    sign_in(visitor.page, stack.url)
    visitor.page.goto(f"{stack.url}/products/")
    visitor.page.wait_for_load_state()
    return visitor.page


def test_slash_leads_to_the_search_of_the_list(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("nail 07")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=nail(\+|%20)07$"))


def test_filters_by_type_with_type_ahead(page: Page) -> None:
    page.locator("details.filters > summary").click()
    brand = page.get_by_role("combobox", name="Brand")
    brand.press_sequentially("ac")
    page.get_by_role("option", name="Acme").click()
    expect(brand).to_have_value("Acme")
    page.get_by_label("Sell price from").fill("5")
    page.get_by_label("Sell price from").press("Enter")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    expect(page).to_have_url(re.compile(r"brand=Acme"))
    page.get_by_role("link", name="Remove the filter Brand").click()
    page.get_by_role("link", name="Remove the filter Sell price from").click()
    expect(page.locator("tbody tr")).to_have_count(43)


def test_the_view_is_remembered(page: Page) -> None:
    page.locator("#view-menu > summary").click()
    page.get_by_role("checkbox", name="Reorder level").uncheck()
    page.get_by_label("Rows a page").select_option("25")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(25)
    page.goto(page.url.partition("?")[0])
    expect(page.locator("tbody tr")).to_have_count(25)
    expect(page.get_by_role("columnheader", name="Reorder level")).to_have_count(0)


def test_ticks_outlive_a_page_and_an_order_and_are_deleted(app: Flask, page: Page) -> None:
    page.goto(f"{page.url}?rows=25&q=nail")
    delete = page.locator("#bulk-delete")
    expect(delete).to_be_disabled()
    page.locator(".tick").first.check()
    page.get_by_role("link", name="Next").click()
    expect(page.locator("tbody tr")).to_have_count(15)
    page.locator(".tick").first.check()
    page.get_by_role("link", name="Title").first.click()
    expect(page.locator(".bulk-count")).to_have_text("2 ticked")
    delete.click()
    expect(page.get_by_role("dialog", name="Delete 2 records?")).to_be_visible()
    page.get_by_role("button", name="Delete 2 records").click()
    expect(page.get_by_text("2 records deleted.")).to_be_visible()
    with app.app_context():
        assert len(db.session.scalars(db.select(Product.id)).all()) == 41


def test_a_field_of_a_page_is_changed(app: Flask, page: Page) -> None:
    page.goto(f"{page.url}?q=nail+1")
    page.locator("#tick-page").check()
    expect(page.locator(".bulk-count")).to_have_text("10 ticked")
    page.get_by_role("button", name="Change a field").click()
    page.get_by_label("Which field?").select_option(label="Category")
    page.get_by_role("button", name="Next").click()
    value = page.get_by_label("Category of all of them")
    value.press_sequentially("to")
    page.get_by_role("option", name="Toys").click()
    page.get_by_role("button", name="Change 10 records").click()
    expect(page.get_by_text("10 records changed.")).to_be_visible()
    with app.app_context():
        assert set(
            db.session.scalars(db.select(Product.category_id).where(Product.title.like("Nail 1%")))
        ) == {2}
