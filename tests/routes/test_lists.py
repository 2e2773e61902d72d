"""List pages: filters by type, columns and page size that are remembered, many records at once without a script."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.factories import fill_shop, save
from tests.support.houses import load_person, sign_in
from tests.support.pages import HTMX, post, soup
from webapp.extensions import db
from webapp.models import Brand

pytestmark = pytest.mark.slow


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """An editor's browser, in a shop with something of every kind."""
    with app.app_context():
        fill_shop()
        db.session.remove()
    client = app.test_client()
    sign_in(client, load_person(app, "editor"))
    return client


def columns(browser: FlaskClient, address: str) -> list[str]:
    """The columns of a list."""
    return [cell.get_text(strip=True) for cell in soup(browser.get(address)).select("thead th:not(.is-tick)")]


def rows(browser: FlaskClient, address: str) -> int:
    """The number of rows that an address shows."""
    return len(soup(browser.get(address)).select("tbody tr"))


def test_columns_are_in_the_address_and_remembered(browser: FlaskClient) -> None:
    usual = columns(browser, "/products/")
    chosen = ["Title", "Description", "Sell price"]
    assert columns(browser, "/products/?columns=description&columns=sell_price") == chosen
    assert columns(browser, "/products/") == chosen
    assert columns(browser, "/brands/") == ["Name", "Description"]
    assert columns(browser, "/products/?columns=usual") == usual
    assert columns(browser, "/products/") == usual
    assert columns(browser, "/products/?columns=nonsense") == usual


def test_the_size_of_a_page_is_remembered_for_every_list(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        save("brands", *({"name": f"B-{number:03}"} for number in range(60)))
    assert [rows(browser, address) for address in ("/brands/", "/brands/?rows=25", "/brands/")] == [
        50,
        25,
        25,
    ]
    assert rows(browser, "/brands/?rows=999") == 50
    link = soup(browser.get("/brands/?rows=25&q=b-&columns=name")).select_one("a[rel=next]")
    assert link is not None
    following = soup(browser.get(str(link["href"])))
    assert len(following.select("tbody tr")) == 25
    assert "columns=name" in str(link["href"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("category=tools", 2),
        ("brand=Acme", 0),
        ("brand=bolt", 1),
        ("cost_price_from=2&cost_price_to=2.50", 3),
        ("quantity_from=6", 2),
        ("low_stock=1", 2),
        ("no_movement_since=2020-01-01", 1),
        ("ids=1,3", 2),
    ],
)
def test_filters_by_type_narrow_a_list(browser: FlaskClient, query: str, found: int) -> None:
    assert rows(browser, f"/products/?{query}") == found


def test_the_panel_shows_what_is_filtered_by_and_chips_take_it_off(browser: FlaskClient) -> None:
    page = soup(browser.get("/products/?category=Tools&cost_price_from=1&rows=25"))
    panel = page.select_one("details.filters:not([open])")
    assert panel is not None
    given = {str(item["name"]): str(item["value"]) for item in panel.select("input[value]") if item["value"]}
    assert given == {"category": "Tools", "cost_price_from": "1.00"}
    assert page.select("#records input[form=toolbar][name=category]") == []
    chips = [str(item["href"]) for item in page.select("a.chip")]
    assert len(chips) == 2
    assert all("rows=25" in href and href.count("=") == 2 for href in chips)
    correction = soup(browser.get("/products/?cost_price_from=cheap")).select_one("details.filters[open]")
    assert correction is not None


@pytest.mark.parametrize("bad", ["ids=x", "no_movement_since=soon", "cost_price_from=cheap"])
def test_a_filter_that_cannot_be_read_says_so(browser: FlaskClient, bad: str) -> None:
    page = soup(browser.get(f"/products/?{bad}"))
    assert page.select_one("#records [role=alert]") is not None
    assert len(page.select("tbody tr")) == 3


def test_deleting_asks_with_the_number_and_says_what_stays(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        save("brands", {"name": "Unused"})
    question = soup(
        post(browser, "/brands/bulk", data={"action": "delete", "everything": "yes", "filter-q": "u"})
    )
    assert "Delete 1 record?" in question.get_text()
    question = soup(post(browser, "/brands/bulk", data={"action": "delete", "everything": "yes"}))
    assert "Delete 3 records?" in question.get_text()
    form = question.select_one("form:has([name=confirmed])")
    assert form is not None
    data = {str(item["name"]): str(item["value"]) for item in form.select("input")}
    answer = soup(browser.post("/brands/bulk", data=data))
    assert "1 record deleted." in answer.get_text()
    assert {item.get_text() for item in answer.select("main .plain-title")} == {"Acme", "Bolt"}


@pytest.mark.parametrize("action", ["delete", "edit"])
def test_nothing_is_asked_of_records_that_are_gone(browser: FlaskClient, action: str) -> None:
    answer = post(browser, "/brands/bulk", data={"action": action, "ids": ["77"], "filter-q": "a"})
    assert answer.headers["Location"] == "/brands/?q=a"
    assert "None of these records is there any more." in browser.get("/brands/?q=a").text


def test_a_field_is_chosen_and_then_set(app: Flask, browser: FlaskClient) -> None:
    data = {"action": "edit", "ids": ["1", "2"], "sort": "-name"}
    assert soup(post(browser, "/brands/bulk", data=data)).select(
        "select[name=field] option[value=description]"
    )
    data["field"] = "description"
    page = soup(post(browser, "/brands/bulk", data=data))
    assert "Change 2 records" in page.get_text()
    assert [item["value"] for item in page.select("input[name=ids]")] == ["1", "2"]
    answer = post(browser, "/brands/bulk", data=data | {"confirmed": "yes", "value": "both", "expected": "2"})
    assert answer.headers["Location"] == "/brands/?sort=-name"  # in the order in which they were ticked
    with app.app_context():
        assert set(db.session.scalars(db.select(Brand.description))) == {"both"}


def test_a_value_that_cannot_be_taken_is_said_beside_it(browser: FlaskClient) -> None:
    data = {"action": "edit", "ids": "1", "field": "cost_price", "value": "cheap", "confirmed": "yes"}
    answer = post(browser, "/products/bulk", data=data)
    assert answer.status_code == 422
    control = soup(answer).select_one("#bulk-value[aria-invalid]")
    assert control is not None
    assert control["value"] == "cheap"


def test_ticked_records_or_all_that_match_are_exported(browser: FlaskClient) -> None:
    ticked = post(browser, "/products/bulk", data={"action": "export", "ids": ["1", "3"], "filter-q": "tw"})
    assert ticked.headers["Location"] == "/exports/new?resource=products&ids=1,3"
    chosen = soup(browser.get(ticked.headers["Location"])).select_one("#filter-ids")
    assert chosen is not None
    assert chosen.get_text() == "2 records"  # the numbers themselves say nothing to people
    matching = post(
        browser, "/products/bulk", data={"action": "export", "everything": "yes", "filter-q": "tw"}
    )
    assert matching.headers["Location"] == "/exports/new?resource=products&q=tw"


def test_who_may_only_look_may_export_and_no_more(app: Flask, browser: FlaskClient) -> None:
    viewer = app.test_client()
    sign_in(viewer, load_person(app, "viewer"))
    actions = {
        str(item["value"]) for item in soup(viewer.get("/brands/")).select("#bulk button[name=action]")
    }
    assert actions == {"export"}
    for action in ("delete", "edit"):
        data = {
            "action": action,
            "everything": "yes",
            "confirmed": "yes",
            "field": "description",
            "value": "x",
        }
        assert post(viewer, "/brands/bulk", data=data).status_code == 403
    assert post(viewer, "/brands/bulk", data={"action": "dance", "ids": "1"}).status_code == 400


def test_nothing_ticked_is_said(browser: FlaskClient) -> None:
    answer = post(browser, "/brands/bulk", data={"action": "delete"}, follow_redirects=True)
    assert "Tick the records first." in answer.text


def test_numbers_are_filtered_by_as_the_readers_language_writes_them(browser: FlaskClient) -> None:
    brazilian = {"Accept-Language": "pt-BR"}
    sign = soup(browser.get("/products/", headers=brazilian)).select_one("#toolbar input[name=decimal]")
    assert sign is not None
    typed = f"/products/?cost_price_from=1,50&quantity_to=1.000&q=caf&decimal={sign['value']}"
    answer = browser.get(typed, headers=brazilian | HTMX)
    assert answer.status_code == 303
    plain = answer.headers["Location"]
    assert plain == "/products/?cost_price_from=1.50&quantity_to=1000&q=caf", (
        "an address that every reader can open"
    )
    page = soup(browser.get(plain, headers=brazilian))
    assert len(page.select("tbody tr")) == 1
    control = page.select_one("#toolbar input[name=cost_price_from]")
    assert control is not None
    assert control["value"] == "1,50"
    assert "1,50" in " ".join(chip.get_text() for chip in page.select("a.chip"))
    assert soup(browser.get(plain)).select_one("#toolbar input[name=decimal]") is None
    wrong = browser.get("/products/?cost_price_from=x&decimal=,", headers=brazilian, follow_redirects=True)
    assert soup(wrong).select_one("#records [role=alert]") is not None
