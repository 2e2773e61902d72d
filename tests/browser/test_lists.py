"""Lists in the browser: the search by its key, filters with type-ahead, the view that is remembered, many records at once."""

import re

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.steps import sign_in
from tests.support.browser import PHONE, Visitor
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
    expect(page.locator(".chip")).to_have_text(re.compile("Brand: Acme"))
    page.locator("#view-menu > summary").click()  # the field that is left has changed, says the browser
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("checkbox", name="Reorder level")).to_be_visible()
    page.keyboard.press("Escape")
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
    expect(delete).to_be_hidden()
    page.locator(".tick").first.check()
    page.get_by_role("link", name="Next").click()
    expect(page.locator("tbody tr")).to_have_count(15)
    page.locator(".tick").first.check()
    page.get_by_role("link", name="Title").first.click()
    expect(page.locator(".bulk-count")).to_have_text("2 ticked")
    page.get_by_label("everything that matches").check()
    page.get_by_role("link", name="Title").first.click()
    expect(page.locator(".tick:checked")).to_have_count(25)
    page.get_by_label("everything that matches").uncheck()
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


def test_what_is_ticked_after_a_search_stays_ticked(page: Page) -> None:
    """A search box that is left has changed, says the browser; but the list was asked for already."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "?q=" in request.url else None)
    page.locator("#list-search").press_sequentially("nail 1", delay=20)
    expect(page.locator("tbody tr")).to_have_count(10)
    page.locator(".row-link").first.hover()
    expect(page.locator("td[title]")).to_have_count(0)  # all of it is to be seen
    page.set_viewport_size({"width": 800, "height": 900})
    page.locator(".row-link").first.evaluate("link => link.textContent += ' and so on'.repeat(20)")
    page.locator(".row-link").first.hover()
    expect(page.locator("td[title*='and so on']")).to_have_count(1)
    page.set_viewport_size({"width": 1440, "height": 900})
    first = page.locator("tbody tr").first
    place = first.bounding_box()
    ticks = page.locator(".tick")
    ticks.nth(2).click()
    ticks.nth(5).click(modifiers=["Shift"])
    expect(page.locator(".bulk-count")).to_have_text("4 ticked")
    assert first.bounding_box() == place, "the bar moves what is being ticked"
    page.get_by_role("button", name="Untick all").click()
    expect(page.locator("#bulk")).to_be_hidden()
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("window", [{"viewport": PHONE, "has_touch": True}], indirect=True, ids=["telephone"])
def test_on_a_telephone_the_rows_begin_high_and_the_bar_is_at_the_thumb(page: Page) -> None:
    place = page.locator("tbody tr").first.bounding_box()
    assert place is not None
    assert place["y"] < 300
    page.locator(".tick-area").nth(1).tap()
    bar = page.locator("#bulk").bounding_box()
    assert bar is not None
    assert bar["y"] > 650
    assert bar["x"] >= 0
    assert bar["x"] + bar["width"] <= PHONE["width"]
    expect(page.locator("#bulk-delete")).to_be_visible()
    page.locator("details.filters > summary").tap()
    page.get_by_label("Low stock only").check()
    page.locator("details.filters > summary").tap()
    expect(page.get_by_label("Low stock only")).to_be_visible()  # as long as it narrows the list
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
