"""Forms of records in a real browser: created, changed, deleted; type-ahead; two people and one record."""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Dialog, Locator, Page, expect
from sqlalchemy import func, select

from tests.support.browser import PHONE
from tests.support.factories import fill_shop, quantity_of
from tests.support.stack import Stack
from webapp.extensions import db
from webapp.models import Brand, Product, Supplier

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def shop(app: Flask, stack: Stack) -> Flask:
    """A shop with something of every kind, open."""
    with app.app_context():
        fill_shop()
    stack.start_web()
    return app


def summary(page: Page) -> Locator:
    """What the page says before its form."""
    return page.get_by_role("main").get_by_role("alert")


def save(page: Page) -> None:
    """Press the button that is seen; the first one is for the Enter key."""
    page.get_by_role("button", name="Save", exact=True).click()


def test_a_product_is_created_changed_and_deleted(shop: Flask, open_as: Callable[..., Page]) -> None:
    page = open_as("editor")
    page.goto("/products/")
    page.get_by_role("link", name="New product").click()
    expect(page.get_by_label("Serial number")).to_be_focused()
    save(page)
    expect(summary(page)).to_be_focused()
    page.get_by_role("link", name="Title is missing.").click()
    expect(page.get_by_label("Title")).to_be_focused()
    page.keyboard.type("Tea")
    page.get_by_label("Serial number").fill("T-1")
    page.get_by_label("Cost price").fill("2.50")
    page.get_by_label("Sell price").fill("4.90")
    category = page.get_by_role("combobox", name="Category")
    category.press_sequentially("to")
    expect(page.get_by_role("option", name="Tools")).to_be_visible()
    category.press("ArrowDown")
    category.press("Enter")
    expect(category).to_have_value("Tools")
    page.get_by_label("Serial number").press("Enter")
    expect(page.get_by_text("Product “Tea” is created.")).to_be_visible()

    page.get_by_role("link", name="New inflow").click()
    expect(page.get_by_role("combobox", name="Product")).to_have_value("T-1")
    expect(page.get_by_text("Tea · 0 in stock")).to_be_visible()
    page.get_by_label("Quantity").fill("7")
    save(page)
    expect(page.get_by_text("is created.")).to_be_visible()
    with shop.app_context():
        assert quantity_of("T-1") == 7
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("is deleted.")).to_be_visible()

    page.goto("/products/")
    page.get_by_role("link", name="Tea").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Title").fill("Green tea")
    save(page)
    expect(page.get_by_role("heading", name="Green tea", level=1)).to_be_visible()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Product “Green tea” is deleted.")).to_be_visible()
    with shop.app_context():
        assert db.session.scalar(select(func.count(Product.id)).where(Product.serial_number == "T-1")) == 0


def test_a_model_that_is_missing_is_created_on_the_way_with_its_brand(
    shop: Flask, open_as: Callable[..., Page]
) -> None:
    page = open_as("editor")
    page.goto("/products/new")
    page.get_by_label("Title").fill("Kept")
    model = page.get_by_role("combobox", name="Model")
    model.press_sequentially("Z-9")
    page.get_by_role("option", name="Create “Z-9”").click()
    dialog = page.get_by_role("dialog", name="New model")
    expect(dialog.get_by_label("Name")).to_have_value("Z-9")
    brand = dialog.get_by_role("combobox", name="Brand")
    brand.fill("nobody")
    dialog.get_by_role("button", name="Create", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("There is no brand “nobody”.")
    expect(dialog.get_by_role("alert")).to_be_focused()
    brand.fill("")
    brand.press_sequentially("ac")
    dialog.get_by_role("option", name="Acme").click()
    dialog.get_by_role("button", name="Create", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(model).to_have_value("Z-9")
    expect(page.get_by_role("combobox", name="Brand")).to_have_value("Acme")
    expect(page.get_by_label("Title")).to_have_value("Kept")
    expect(model).to_be_focused()


def test_a_dialog_in_a_dialog_and_escape_lose_nothing(shop: Flask, open_as: Callable[..., Page]) -> None:
    page = open_as("editor")
    page.goto("/products/new")
    page.get_by_role("combobox", name="Model").press_sequentially("Z-9")
    page.get_by_role("option", name="Create “Z-9”").click()
    outer = page.get_by_role("dialog", name="New model")
    outer.get_by_role("combobox", name="Brand").press_sequentially("Crux")
    outer.get_by_role("option", name="Create “Crux”").click()
    inner = page.get_by_role("dialog", name="New brand")
    inner.get_by_role("button", name="Create", exact=True).click()
    expect(inner).to_have_count(0)
    expect(outer.get_by_role("combobox", name="Brand")).to_have_value("Crux")
    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.keyboard.press("Escape")
    expect(outer).to_be_visible()
    assert asked == ["Close this and lose what you typed in it?"]
    outer.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("combobox", name="Model")).to_have_value("Z-9")
    with shop.app_context():
        assert "Crux" in db.session.scalars(select(Brand.name)).all()


def test_leaving_a_changed_form_is_asked_about_and_saving_is_not(
    shop: Flask, open_as: Callable[..., Page]
) -> None:
    page = open_as("editor")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto("/suppliers/1/edit")
    page.get_by_role("link", name="Cancel").click()
    expect(page).to_have_url("/suppliers/1")
    page.goto("/suppliers/1/edit")
    page.get_by_label("Phone").fill("222")
    page.get_by_role("link", name="Cancel").click()
    expect(page).to_have_url("/suppliers/1/edit")
    expect(page.get_by_label("Phone")).to_have_value("222")
    assert asked == ["beforeunload"]
    save(page)
    expect(page.get_by_text("is saved.")).to_be_visible()
    assert asked == ["beforeunload"]


def test_the_second_of_two_chooses_between_both_changes(shop: Flask, open_as: Callable[..., Page]) -> None:
    mine, theirs = open_as("editor"), open_as("stranger", viewport=PHONE, color_scheme="dark")
    for page in (mine, theirs):
        page.goto("/suppliers/1/edit")
    theirs.get_by_label("Phone").fill("111")
    save(theirs)
    expect(theirs.get_by_text("is saved.")).to_be_visible()
    mine.get_by_label("Phone").fill("222")
    mine.get_by_label("Name").fill("Northern Ltd")
    with mine.expect_response(lambda answer: answer.request.method == "POST") as answered:
        save(mine)
    assert answered.value.status == 409
    expect(summary(mine)).to_contain_text("has changed this record while you were changing it")
    expect(mine.get_by_role("group", name="Phone")).to_contain_text("111")
    mine.get_by_role("radio", name="111").check()
    mine.get_by_role("button", name="Save this choice").click()
    expect(mine.get_by_role("heading", name="Northern Ltd", level=1)).to_be_visible()
    with shop.app_context():
        assert db.session.execute(select(Supplier.name, Supplier.phone)).one() == ("Northern Ltd", "111")


def test_what_is_in_use_is_reassigned_on_a_telephone(shop: Flask, open_as: Callable[..., Page]) -> None:
    page = open_as("editor", viewport=PHONE, color_scheme="dark", has_touch=True)
    page.goto("/categories/1")
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("link", name="Products").last).to_be_visible()
    page.get_by_role("combobox", name="Category").press_sequentially("toy")
    page.get_by_role("option", name="Toys").tap()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Change them and delete").click()
    expect(page.get_by_text("2 records were changed.")).to_be_visible()
    expect(page.get_by_text("Category “Tools” is deleted.")).to_be_visible()


def test_without_a_script_records_are_created_and_deleted(shop: Flask, open_as: Callable[..., Page]) -> None:
    page = open_as("editor", java_script_enabled=False)
    page.goto("/product_models/new")
    page.get_by_label("Name").fill("Z-9")
    page.get_by_label("Brand").fill("nobody")
    page.get_by_role("button", name="Save and add another").click()
    expect(summary(page)).to_contain_text("There is no brand “nobody”.")
    page.get_by_label("Brand").fill("acme")
    page.get_by_role("button", name="Save and add another").click()
    expect(page.get_by_text("Model “Z-9” is created.")).to_be_visible()
    expect(page.get_by_label("Brand")).to_have_value("acme")
    page.goto("/product_models/3/delete")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Model “Z-9” is deleted.")).to_be_visible()
    page.goto("/brands/")
    page.locator(".tick").first.check()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete 1 record?")).to_be_visible()
