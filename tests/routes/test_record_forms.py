"""Forms of records with no script at all: what they ask for, what they say, and what they never lose."""

import json
from decimal import Decimal
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.support.factories import fill_shop, quantity_of
from tests.support.houses import load_person, sign_in
from tests.support.pages import HTMX, filled, is_fragment, post, soup
from webapp.extensions import db
from webapp.models import Brand, Inflow, Product, Supplier
from webapp.resources.registry import get_resource
from webapp.services.reference_options import list_options

pytestmark = pytest.mark.slow  # together they take longer than a commit should

FORM = "form.form-card"
BRAZILIAN = {"Accept-Language": "pt-BR"}


@pytest.fixture
def browser(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser of the editor's, in a shop with something of every kind."""
    with app.app_context():
        fill_shop()
    sign_in(client, load_person(app, "editor"))
    return client


@pytest.fixture
def colleague(app: Flask, browser: FlaskClient) -> FlaskClient:
    """The browser of another editor."""
    other = app.test_client()
    sign_in(other, load_person(app, "stranger"))
    return other


def id_of(app: Flask, resource: str, key: str) -> int:
    """Return the id of the record with this key."""
    with app.app_context():
        found = list_options(get_resource(resource), key)
        return next(option.id for option in found if option.key == key)


def words(page: BeautifulSoup, selector: str = "main") -> str:
    """Return the words of a part of a page, in one line."""
    part = page.select_one(selector)
    assert part is not None, page.get_text(" ", strip=True)
    return " ".join(part.get_text(" ", strip=True).split())


def send(browser: FlaskClient, page: BeautifulSoup, **changes: Any) -> TestResponse:
    """Send the form of a page, with what was typed into it."""
    form = page.select_one(FORM)
    assert form is not None
    return post(browser, str(form["action"]), data=filled(page, FORM) | changes)


def said_after(browser: FlaskClient, answer: TestResponse) -> str:
    """Follow a saved form and return what the next page says."""
    assert answer.status_code == 303, words(soup(answer))
    return words(soup(browser.get(answer.headers["Location"])), "body")


def test_a_new_product_is_typed_saved_and_shown(app: Flask, browser: FlaskClient) -> None:
    page = soup(browser.get("/products/new"))
    assert words(page, "h1") == "New product"
    answer = send(
        browser,
        page,
        serial_number="T-1",
        title="Tea",
        category="tools",
        cost_price="2.50",
        sell_price="4.90",
        quantity="12",
    )
    assert "Product “Tea” is created." in said_after(browser, answer)
    with app.app_context():
        assert quantity_of("T-1") == 12


def test_what_is_wrong_stands_next_to_its_control_and_in_a_summary(browser: FlaskClient) -> None:
    answer = send(browser, soup(browser.get("/products/new")), title="Tea", cost_price="cheap", category="no")
    assert answer.status_code == 422
    page = soup(answer)
    links = {str(link["href"]) for link in page.select("[role=alert] a")}
    assert links == {"#field-serial_number", "#field-cost_price", "#field-sell_price", "#field-category"}
    for link in links:
        control = page.select_one(link)
        assert control is not None
        assert control["aria-invalid"] == "true"
        error = page.select_one(f"{link}-error")
        assert error is not None
        assert str(error["id"]) in str(control["aria-describedby"])
    assert words(page, "#field-cost_price-error").startswith("Error: “cheap” is not a number.")
    assert filled(page, FORM)["title"] == "Tea"
    assert str(page.title.string if page.title else "").strip().startswith("Error:")


def test_labels_help_and_what_is_required_are_those_of_the_declaration(browser: FlaskClient) -> None:
    page = soup(browser.get("/products/new"))
    for field in get_resource("products").writable_fields:
        label = page.select_one(f"label[for=field-{field.name}]")
        assert label is not None
        assert label.get_text().startswith(field.label)
        assert ("required" in label.get_text()) == field.required
        if field.help:
            hint = words(page, f"#field-{field.name}-hint")
            assert field.help in hint


def test_one_after_another_keeps_what_they_share(browser: FlaskClient) -> None:
    page = soup(browser.get("/inflows/new?product=00123"))
    assert filled(page, FORM)["product"] == "00123"
    answer = send(browser, page, quantity="3", supplier="Northern", reference="INV-1", action="another")
    assert "is created" in said_after(browser, answer)
    again = filled(soup(browser.get(answer.headers["Location"])), FORM)
    assert (again["supplier"], again["reference"], again["product"], again["quantity"]) == (
        "Northern",
        "INV-1",
        "",
        "",
    )


def test_a_duplicate_has_all_but_the_key_and_the_stock(app: Flask, browser: FlaskClient) -> None:
    page = soup(browser.get(f"/products/{id_of(app, 'products', '00123')}/duplicate"))
    values = filled(page, FORM)
    assert (values["title"], values["product_model"], values["brand"]) == (
        'He said "no", twice',
        "X-1",
        "Bolt",
    )
    assert (values["serial_number"], values["quantity"]) == ("", "")
    said_after(browser, send(browser, page, serial_number="00124"))
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Product)) == 4
        assert quantity_of("00124") == 0


def test_a_record_is_changed_and_an_unchanged_one_is_said_to_be(app: Flask, browser: FlaskClient) -> None:
    supplier = id_of(app, "suppliers", "Northern")
    page = soup(browser.get(f"/suppliers/{supplier}/edit"))
    assert "Nothing was changed." in said_after(browser, send(browser, page))
    assert "“Northern” is saved." in said_after(browser, send(browser, page, email="new@b.example"))
    assert filled(soup(browser.get(f"/suppliers/{supplier}/edit")), FORM)["email"] == "new@b.example"


def test_a_products_stock_is_shown_and_is_no_control(app: Flask, browser: FlaskClient) -> None:
    page = soup(browser.get(f"/products/{id_of(app, 'products', '00123')}/edit"))
    assert page.select("[name=quantity]") == []
    assert page.select_one("a[href='/inflows/new?product=00123']") is not None
    send(browser, page, quantity="999")
    with app.app_context():
        assert quantity_of("00123") != 999


def test_numbers_are_read_as_the_readers_language_writes_them(app: Flask, browser: FlaskClient) -> None:
    product = id_of(app, "products", "00123")
    page = soup(browser.get(f"/products/{product}/edit", headers=BRAZILIAN))
    values = filled(page, FORM)
    assert (values["sell_price"], values["cost_price"]) == ("4,90", "2,50")
    answer = post(
        browser, f"/products/{product}", data=values | {"sell_price": "1.007,25"}, headers=BRAZILIAN
    )
    assert answer.status_code == 303
    with app.app_context():
        found = db.session.get(Product, product)
        assert found is not None
        assert (found.sell_price, found.cost_price) == (Decimal("1007.25"), Decimal("2.5"))


def test_the_second_of_two_sees_the_difference_and_loses_nothing(
    app: Flask, browser: FlaskClient, colleague: FlaskClient
) -> None:
    supplier = id_of(app, "suppliers", "Northern")
    mine = soup(browser.get(f"/suppliers/{supplier}/edit"))
    theirs = soup(colleague.get(f"/suppliers/{supplier}/edit"))
    said_after(colleague, send(colleague, theirs, phone="111", email="theirs@b.example"))
    answer = send(browser, mine, phone="222", name="Northern Ltd")
    assert answer.status_code == 409
    page = soup(answer)
    said = words(page)
    for text in ("stranger@", "+55 11 91234-5678", "111", "222", "theirs@b.example", "Northern Ltd"):
        assert text in said
    chosen = filled(page, FORM)
    assert (chosen["take-phone"], chosen["take-email"]) == ("mine", "theirs")
    said_after(browser, send(browser, page))
    with app.app_context():
        found = db.session.get(Supplier, supplier)
        assert found is not None
        assert (found.name, found.phone, found.email) == ("Northern Ltd", "222", "theirs@b.example")


def test_what_is_chosen_can_be_the_others_and_looked_at_again(
    app: Flask, browser: FlaskClient, colleague: FlaskClient
) -> None:
    supplier = id_of(app, "suppliers", "Northern")
    mine = soup(browser.get(f"/suppliers/{supplier}/edit"))
    said_after(colleague, send(colleague, soup(colleague.get(f"/suppliers/{supplier}/edit")), phone="111"))
    conflict = soup(send(browser, mine, phone="222", name="Northern Ltd"))
    form = send(browser, conflict, **{"take-phone": "theirs", "action": "edit"})
    assert form.status_code == 200
    values = filled(soup(form), FORM)
    assert (values["phone"], values["name"]) == ("111", "Northern Ltd")
    said_after(browser, send(browser, soup(form)))


def test_a_third_change_between_is_told_too(app: Flask, browser: FlaskClient, colleague: FlaskClient) -> None:
    supplier = id_of(app, "suppliers", "Northern")
    mine = soup(browser.get(f"/suppliers/{supplier}/edit"))
    for phone in ("111", "333"):
        said_after(
            colleague, send(colleague, soup(colleague.get(f"/suppliers/{supplier}/edit")), phone=phone)
        )
        answer = send(browser, mine, phone="222")
        assert answer.status_code == 409
        assert phone in words(soup(answer))
        mine = soup(answer)


def test_what_was_deleted_meanwhile_can_be_saved_as_a_new_one(
    app: Flask, browser: FlaskClient, colleague: FlaskClient
) -> None:
    post(browser, "/brands/", data={"name": "Crux"})
    brand = id_of(app, "brands", "Crux")
    mine = soup(browser.get(f"/brands/{brand}/edit"))
    said_after(colleague, send(colleague, soup(colleague.get(f"/brands/{brand}/delete"))))
    answer = send(browser, mine, name="Crux Two")
    assert answer.status_code == 409
    assert "was deleted while you were changing it" in words(soup(answer))
    said_after(browser, send(browser, soup(answer)))
    with app.app_context():
        assert "Crux Two" in db.session.scalars(select(Brand.name)).all()


@pytest.mark.parametrize("seen", ["", "x", "[]", "7", '{"name": null}', '{"price": "cheap"}'])
def test_a_form_that_was_tampered_with_is_a_conflict_and_no_crash(
    app: Flask, browser: FlaskClient, seen: str
) -> None:
    product = id_of(app, "products", "00123")
    page = soup(browser.get(f"/products/{product}/edit"))
    answer = send(browser, page, seen=seen, version="0", title="Mine")
    assert answer.status_code == 409
    assert "Mine" in words(soup(answer))


def test_htmx_gets_a_dialog_and_is_told_what_was_created(browser: FlaskClient) -> None:
    answer = browser.get("/product_models/new?q=Z-9&scope=Acme", headers=HTMX)
    assert is_fragment(answer)
    page = soup(answer)
    values = filled(page, "dialog form")
    assert (values["name"], values["brand"]) == ("Z-9", "Acme")
    assert page.select_one("#new-product_models-name") is not None
    wrong = post(browser, "/product_models/", data=values | {"brand": "nobody"}, headers=HTMX)
    assert wrong.status_code == 422
    assert is_fragment(wrong)
    assert soup(wrong).select_one("dialog") is None
    made = post(browser, "/product_models/", data=values, headers=HTMX)
    assert made.status_code == 204
    assert json.loads(made.headers["HX-Trigger"]) == {"record-created": {"key": "Z-9", "scope": "Acme"}}


def test_a_movement_that_takes_too_much_is_told_beside_the_quantity(app: Flask, browser: FlaskClient) -> None:
    page = soup(browser.get("/outflows/new?product=00123"))
    answer = send(browser, page, quantity="9999")
    assert answer.status_code == 422
    assert soup(answer).select_one("#field-quantity-error") is not None


def test_deleting_what_is_in_use_says_what_uses_it_and_offers_to_reassign(
    app: Flask, browser: FlaskClient
) -> None:
    category = id_of(app, "categories", "Tools")
    page = soup(browser.get(f"/categories/{category}/delete"))
    uses = page.select_one(".use-list a")
    assert uses is not None
    assert "Products" in uses.get_text()
    assert len(soup(browser.get(str(uses["href"]))).select("tbody tr")) == 2
    missing = send(browser, page)
    assert missing.status_code == 422
    for place in ("[role=alert]", "#replacement-error"):
        assert "Choose what takes its place" in words(soup(missing), place)
    said = said_after(browser, send(browser, page, replacement="toys"))
    assert "2 records were changed." in said
    assert "Category “Tools” is deleted." in said


def test_a_movement_is_deleted_and_its_stock_given_back(app: Flask, browser: FlaskClient) -> None:
    said_after(browser, send(browser, soup(browser.get("/inflows/new?product=00123")), quantity="3"))
    with app.app_context():
        before = quantity_of("00123")
        movement = db.session.scalar(select(func.max(Inflow.id)))
    page = soup(browser.get(f"/inflows/{movement}/delete"))
    assert "00123" in words(page)
    said_after(browser, send(browser, page))
    with app.app_context():
        assert quantity_of("00123") == before - 3


def test_what_was_changed_meanwhile_is_not_deleted(
    app: Flask, browser: FlaskClient, colleague: FlaskClient
) -> None:
    post(browser, "/brands/", data={"name": "Crux"})
    brand = id_of(app, "brands", "Crux")
    mine = soup(browser.get(f"/brands/{brand}/delete"))
    said_after(colleague, send(colleague, soup(colleague.get(f"/brands/{brand}/edit")), name="Crux Two"))
    answer = send(browser, mine)
    assert answer.status_code == 409
    assert "Somebody else has changed it meanwhile." in words(soup(answer), "[role=alert]")
    assert words(soup(answer), ".conflict-field") == "Name Crux Crux Two"
    said_after(browser, send(browser, soup(answer)))


def test_a_product_that_is_sold_meanwhile_goes_with_that_sale(
    app: Flask, browser: FlaskClient, colleague: FlaskClient
) -> None:
    double = id_of(app, "products", "00123")
    page = soup(browser.get(f"/products/{double}/delete"))
    said_after(colleague, send(colleague, soup(colleague.get("/outflows/new?product=00123")), quantity="2"))
    said = said_after(browser, send(browser, page, replacement="=1+1"))
    assert "3 records were changed." in said
    assert "is deleted." in said


def test_what_was_changed_and_was_chosen_is_still_there_when_it_asks_again(
    app: Flask, browser: FlaskClient, colleague: FlaskClient
) -> None:
    category = id_of(app, "categories", "Tools")
    page = soup(browser.get(f"/categories/{category}/delete"))
    said_after(colleague, send(colleague, soup(colleague.get(f"/categories/{category}/edit")), name="Gear"))
    answer = send(browser, page, replacement="Toys")
    assert answer.status_code == 409
    again = filled(soup(answer), FORM)
    assert again["replacement"] == "Toys"
    assert "Category “Gear” is deleted." in said_after(browser, send(browser, soup(answer)))
