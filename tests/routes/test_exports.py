"""The page of exports and the form on which one is put together, with no script at all."""

from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from tests.support.factories import fill_shop, save
from tests.support.houses import MakeApp, drain_queue, load_person, sign_in
from tests.support.pages import HTMX, is_fragment, post, soup

pytestmark = pytest.mark.slow  # together they take longer than a commit should


@pytest.fixture
def browser(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser of the editor's, in a shop with something of every kind."""
    with app.app_context():
        fill_shop()
    sign_in(client, load_person(app, "editor"))
    return client


def filled(page: BeautifulSoup) -> dict[str, Any]:
    """Return what the form of an export would send as it stands: names with one value, or with several.

    Without its token, which is another one every second.
    """
    found: dict[str, Any] = {}
    for control in page.select("#export-form [name]:not([name=csrf_token])"):
        name, kind = str(control["name"]), control.get("type", "")
        if control.name == "button" or (kind in {"checkbox", "radio"} and not control.has_attr("checked")):
            continue
        if control.name == "select":
            chosen = control.select_one("option[selected]") or control.select_one("option")
            value = str(chosen["value"]) if chosen else ""
        else:
            value = str(control.get("value", ""))
        if name == "fields":
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found


def shown(page: BeautifulSoup, selector: str = "#export-estimate") -> str:
    """Return the words of a part of a page, in one line."""
    part = page.select_one(selector)
    assert part is not None
    return " ".join(part.get_text(" ", strip=True).split())


def export(browser: FlaskClient, data: dict[str, Any]) -> str:
    """Send the form and return the text of the file that it makes."""
    answer = post(browser, "/exports/", data=data)
    assert answer.status_code == 303, shown(soup(answer), "[role=alert]")
    drain_queue()
    return browser.get(f"{answer.headers['Location']}/download").text


def test_the_filters_and_the_order_of_a_list_carry_over(browser: FlaskClient) -> None:
    page = soup(browser.get("/products/?q=wic&category=Tools&sort=-sell_price"))
    link = page.select_one(".menu-last")
    assert link is not None
    form = soup(browser.get(str(link["href"])))
    sent = filled(form)
    assert (sent["filter-q"], sent["filter-category"], sent["sort"]) == ("wic", "Tools", "-sell_price")
    assert "1 record" in shown(form)


def test_filters_are_added_changed_and_removed_without_a_script(browser: FlaskClient) -> None:
    sent = filled(soup(browser.get("/exports/new")))
    more = soup(
        post(
            browser,
            "/exports/",
            data=sent | {"action": "look", "add-filter": "serial_number", "add-value": "00123"},
        )
    )
    assert "1 record" in shown(more)
    again = filled(more)
    assert again["filter-serial_number"] == "00123"
    changed = soup(post(browser, "/exports/", data=again | {"filter-serial_number": "no", "action": "look"}))
    assert "Nothing matches" in shown(changed)
    removed = soup(post(browser, "/exports/", data=again | {"drop-filter": "serial_number"}))
    assert "filter-serial_number" not in filled(removed)
    assert "3 records" in shown(removed)
    assert browser.get("/jobs/").text.count("Export of") == 0, "looking starts nothing"


def test_columns_are_chosen_and_ordered_by_their_numbers(browser: FlaskClient) -> None:
    sent = filled(soup(browser.get("/exports/new")))
    wanted = {
        "fields": ["title", "sell_price", "serial_number"],
        "place-sell_price": "0",
        "place-serial_number": "99",
    }
    assert export(browser, sent | wanted).splitlines()[0] == "sell_price,title,serial_number"


def test_the_order_of_the_columns_survives_a_look(browser: FlaskClient) -> None:
    sent = filled(soup(browser.get("/exports/new")))
    looked = filled(
        soup(
            post(
                browser,
                "/exports/",
                data=sent | {"action": "look", "place-quantity": "0.5", "fields": ["title", "quantity"]},
            )
        )
    )
    assert looked["fields"] == ["quantity", "title"]
    assert looked["place-quantity"] == "1"


@pytest.mark.parametrize("name", ["title", "sell_price", "category"])
def test_rows_stand_in_the_chosen_order(browser: FlaskClient, name: str) -> None:
    offered = [option["value"] for option in soup(browser.get("/exports/new")).select("#export-sort option")]
    assert {name, f"-{name}"} <= set(offered)
    up, down = (
        export(browser, {"resource": "products", "format": "csv", "fields": "serial_number", "sort": sort})
        for sort in (name, f"-{name}")
    )
    assert up.splitlines()[1:] == down.splitlines()[:0:-1]


def test_the_preset_for_excel_in_brazil_is_chosen_and_kept(browser: FlaskClient) -> None:
    sent = filled(soup(browser.get("/exports/new"))) | {
        "csv-preset": "excel_brazil",
        "fields": ["title", "sell_price"],
    }
    text = export(browser, sent)
    assert text.startswith("\ufefftitle;sell_price")
    assert "4,90" in text
    like = soup(browser.get("/exports/")).select_one("td.is-main a")
    assert like is not None
    task_id = str(like["href"]).rpartition("/")[2]
    again = filled(soup(browser.get(f"/exports/new?like={task_id}")))
    assert (again["csv-preset"], again["fields"]) == ("excel_brazil", ["title", "sell_price"])


def test_without_a_column_nothing_is_exported(browser: FlaskClient) -> None:
    sent = {
        name: value for name, value in filled(soup(browser.get("/exports/new"))).items() if name != "fields"
    }
    answer = post(browser, "/exports/", data=sent)
    assert (answer.status_code, "No column is chosen" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"fields": "colour"}, "no field “colour”"),
        ({"sort": "description"}, "cannot be sorted by “description”"),
        ({"filter-colour": "red"}, "no field “colour”"),
        ({"filter-quantity": "many"}, "many"),
        ({"csv-delimiter": "pipe"}, "not a choice"),
        ({"resource": "planets"}, "no resource “planets”"),
    ],
)
def test_what_cannot_be_exported_is_said_on_the_form(
    browser: FlaskClient, wrong: dict[str, str], said: str
) -> None:
    answer = post(browser, "/exports/", data={"resource": "products", "format": "csv"} | wrong)
    assert (answer.status_code, said in shown(soup(answer), "[role=alert]")) == (422, True)


def test_a_pdf_says_its_pages_and_minutes_before_it_starts(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        save("brands", *({"name": f"Brand {number}"} for number in range(300)))
    page = soup(browser.get("/exports/new?resource=brands&format=pdf"))
    assert "302 records about 8 pages, less than a minute" in shown(page)
    plain = soup(browser.get("/exports/new?resource=brands"))
    assert "about 8 pages, less than a minute" in shown(plain, "label:has(#format-pdf) noscript")
    part = browser.get("/exports/estimate?resource=brands&format=pdf&filter-q=acme", headers=HTMX)
    assert is_fragment(part)
    assert "1 record about 1 page" in shown(soup(part))
    assert "about 8 pages" in shown(soup(browser.get("/brands/")), "details.menu .menu-panel [value=pdf]")


def test_a_pdf_over_the_limit_offers_other_formats_before_it_starts(make_app: MakeApp) -> None:
    app = make_app(PDF_MAX_ROWS="2")
    with app.app_context():
        fill_shop()
    browser = app.test_client()
    sign_in(browser, load_person(app, "editor"))
    menu = soup(browser.get("/products/")).select_one("a.menu-item[href*='format=pdf']")
    assert menu is not None
    form = soup(browser.get(str(menu["href"])))
    assert "up to 2 rows" in shown(form)
    refused = post(browser, "/exports/", data=filled(form))
    assert refused.status_code == 422
    offered = [str(button["value"]) for button in soup(refused).select("[name=format-instead]")]
    assert offered == ["csv", "xlsx", "json", "ndjson", "xml"]
    assert export(browser, filled(form) | {"format-instead": "csv"}).count("\r\n") == 4
    toast = post(browser, "/exports/", data={"resource": "products", "format": "pdf"}, headers=HTMX)
    assert (toast.status_code, "up to 2 rows" in toast.text) == (400, True)


def test_the_page_of_exports_teaches_when_it_is_empty_and_lists_files_with_links(
    browser: FlaskClient,
) -> None:
    assert "No exports yet" in browser.get("/exports/").text
    export(browser, {"resource": "products", "format": "csv", "filter-q": "cafe"})
    page = soup(browser.get("/exports/"))
    assert "the search finds cafe" in shown(page, "#exports tbody tr")
    assert "until" in shown(page, "#exports tbody tr")
    link = page.select_one("#exports a[download]")
    assert link is not None
    assert browser.get(str(link["href"])).status_code == 200
    assert is_fragment(browser.get("/exports/", headers=HTMX))


def test_a_waiting_export_can_be_cancelled_from_the_page(browser: FlaskClient) -> None:
    post(browser, "/exports/", data={"resource": "products", "format": "csv"})
    form = soup(browser.get("/exports/")).select_one("#exports form[action$='/cancellation']")
    assert form is not None
    post(browser, str(form["action"]))
    assert "Cancelled" in shown(soup(browser.get("/exports/")), "#exports tbody tr")


def test_others_see_nothing_of_it(app: Flask, browser: FlaskClient) -> None:
    export(browser, {"resource": "products", "format": "csv"})
    task_id = str(soup(browser.get("/exports/")).select("td.is-main a")[0]["href"]).rpartition("/")[2]
    other = app.test_client()
    sign_in(other, load_person(app, "stranger"))
    assert "No exports yet" in other.get("/exports/").text
    assert other.get(f"/exports/new?like={task_id}").status_code == 404
