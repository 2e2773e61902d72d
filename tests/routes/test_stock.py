"""Counting the stock on its page, with no script at all."""

from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.support.databases import on_both_databases
from tests.support.factories import product, quantity_of, save
from tests.support.houses import load_person, sign_in
from tests.support.pages import HTMX, is_fragment, post, soup
from webapp.extensions import db
from webapp.models import Change, Inflow, Outflow

pytestmark = pytest.mark.slow  # together they take longer than a commit should


@pytest.fixture
def browser(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser of the editor's, in a shop with three products."""
    with app.app_context():
        save("categories", {"name": "Tools"})
        save(
            "products",
            product("A-1", title="Green tea", quantity=10, reorder_level=3),
            product("A-2", title="Black tea", quantity=5),
            product("0007", title="Café", quantity=0),
        )
    sign_in(client, load_person(app, "editor"))
    return client


def filled(page: BeautifulSoup) -> dict[str, Any]:
    """Return what the form would send as it stands, without its token."""
    found: dict[str, Any] = {}
    for control in page.select("form[data-count] input[name]:not([name=csrf_token])"):
        name, value = str(control["name"]), str(control.get("value", ""))
        if name in {"serial", "seen", "counted"}:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found


def shown(page: BeautifulSoup, selector: str = "#count") -> str:
    """Return the words of a part of a page, in one line."""
    part = page.select_one(selector)
    assert part is not None
    return " ".join(part.get_text(" ", strip=True).split())


def rows(page: BeautifulSoup) -> list[list[str]]:
    """Return the lines of the list: product, stock, count, difference."""
    found = []
    for row in page.select(".count-table tbody tr"):
        name, stock, counted, difference, _remove = row.select("td")
        control = counted.select_one("input")
        assert control is not None
        found.append(
            [
                name.get_text(" ", strip=True),
                stock.text.strip(),
                str(control["value"]),
                difference.text.strip(),
            ]
        )
    return found


def send(browser: FlaskClient, page: BeautifulSoup, url: str = "/stock-counts/lines", **typed: Any) -> Any:
    """Send the form with some of its controls filled in."""
    return post(browser, url, data=filled(page) | typed)


def start(browser: FlaskClient, *scans: tuple[str, str]) -> BeautifulSoup:
    """Open the page and add what was counted: serial number and pieces each."""
    page = soup(browser.get("/stock-counts/new"))
    for scan, pieces in scans:
        page = soup(send(browser, page, scan=scan, pieces=pieces))
    return page


def test_a_count_is_entered_compared_and_applied(app: Flask, browser: FlaskClient) -> None:
    page = start(browser, ("A-1", "8"), (" a-2 ", "6"), ("0007", "1"))
    assert rows(page) == [
        ["Café 0007", "0", "1", "+1"],
        ["Black tea A-2", "5", "6", "+1"],
        ["Green tea A-1", "10", "8", "\N{MINUS SIGN}2"],
    ]
    page = soup(send(browser, page, counted=["0", "6", "8"]))
    assert [row[3] for row in rows(page)] == ["none", "+1", "\N{MINUS SIGN}2"]
    with app.app_context():
        assert quantity_of("A-1") == 10
    answer = send(browser, page, "/stock-counts/", reason="Spring cleaning")
    assert answer.status_code == 303
    result = soup(browser.get(answer.headers["Location"]))
    assert "2 products were set right, 1 was as it should be." in shown(result, "#main")
    assert "Spring cleaning" in shown(result, "#main")
    assert [cell.text for cell in result.select(".row-link")] == ["Black tea", "Green tea"]
    with app.app_context():
        assert [quantity_of(name) for name in ("A-1", "A-2", "0007")] == [8, 6, 0]
        (out,) = db.session.scalars(select(Outflow))
        (came,) = db.session.scalars(select(Inflow).where(Inflow.kind == "adjustment"))
        assert out.reference == came.reference == page.select_one("[name=reference]")["value"]  # type: ignore[index]
        assert (out.kind, out.quantity, out.reason) == ("adjustment", 2, "Spring cleaning")
        found = db.session.scalars(select(Change).where(Change.resource == "outflows")).one()
        assert (found.source, found.actor_id) == ("stock_count", load_person(app, "editor").id)


def test_scanning_the_same_again_counts_on(browser: FlaskClient) -> None:
    page = start(browser, ("A-1", "8"), ("A-2", "1"), ("a-1", "2"))
    assert [row[2] for row in rows(page)] == ["1", "10"]
    assert "Green tea: 10 counted" in shown(page)


def test_a_part_of_a_title_offers_what_it_finds(browser: FlaskClient) -> None:
    page = start(browser, ("tea", "4"))
    offered = page.select(".count-matches button")
    assert [item["value"] for item in offered] == ["A-1", "A-2"]
    assert rows(page) == []
    page = soup(send(browser, page, pick="A-1"))
    assert rows(page) == [["Green tea A-1", "10", "4", "\N{MINUS SIGN}6"]]


def test_what_is_not_found_is_said_and_kept(browser: FlaskClient) -> None:
    page = start(browser, ("A-1", "8"), ("nobody", "1"))
    assert "No product is found by “nobody”." in shown(page, "#scan-error")
    assert filled(page)["scan"] == "nobody"
    assert len(rows(page)) == 1


@pytest.mark.parametrize("pieces", ["0", "-1", "many", "1.5"])
def test_pieces_that_are_none_are_refused(browser: FlaskClient, pieces: str) -> None:
    page = start(browser, ("A-1", pieces))
    assert page.select_one("#scan-error")
    assert rows(page) == []


def test_a_line_can_be_taken_away(browser: FlaskClient) -> None:
    page = start(browser, ("A-1", "8"), ("A-2", "6"))
    page = soup(send(browser, page, remove="A-2"))
    assert [row[0] for row in rows(page)] == ["Green tea A-1"]


@pytest.mark.parametrize("text", ["", "-1", "x"])
def test_a_count_that_is_none_is_named_and_nothing_saved(app: Flask, browser: FlaskClient, text: str) -> None:
    page = start(browser, ("A-1", "8"), ("A-2", "6"))
    answer = send(browser, page, "/stock-counts/", counted=[text, "8"])
    assert answer.status_code == 422
    assert soup(answer).select_one("a[href='#counted-0']")
    with app.app_context():
        assert (quantity_of("A-1"), quantity_of("A-2")) == (10, 5)


def test_an_empty_list_is_not_applied(browser: FlaskClient) -> None:
    answer = send(browser, start(browser), "/stock-counts/")
    assert (answer.status_code, "Nothing was counted yet." in answer.text) == (422, True)


def test_a_count_in_which_all_is_right_leaves_no_trace(app: Flask, browser: FlaskClient) -> None:
    answer = send(browser, start(browser, ("A-1", "10")), "/stock-counts/")
    assert answer.headers["Location"] == "/stock-counts/new"
    with app.app_context():
        assert db.session.scalars(select(Outflow)).all() == []


def test_a_double_click_applies_once(app: Flask, browser: FlaskClient) -> None:
    page = start(browser, ("A-1", "8"))
    first = send(browser, page, "/stock-counts/")
    with app.app_context():
        save("outflows", {"product": "A-1", "quantity": 1})
    second = send(browser, page, "/stock-counts/")
    assert first.headers["Location"] == second.headers["Location"]
    assert "This count was applied already." in browser.get(second.headers["Location"]).text
    with app.app_context():
        assert quantity_of("A-1") == 7


def test_what_moved_meanwhile_is_weighed_at_the_end_and_said(app: Flask, browser: FlaskClient) -> None:
    page = start(browser, ("A-1", "8"), ("A-2", "5"))
    with app.app_context():
        save("outflows", {"product": "A-1", "quantity": 4})
    # The stock that the page showed is what it sends.
    answer = send(browser, page, "/stock-counts/")
    assert "was taken from what it was then: A-1." in browser.get(answer.headers["Location"]).text
    with app.app_context():
        assert quantity_of("A-1") == 8


def test_a_product_that_is_gone_keeps_the_others_from_being_saved(app: Flask, browser: FlaskClient) -> None:
    page = start(browser, ("A-1", "8"), ("0007", "0"))
    data = filled(page)
    data["serial"][0] = "0008"
    answer = post(browser, "/stock-counts/", data=data)
    assert answer.status_code == 422
    assert "There is no product “0008” any more." in answer.text
    with app.app_context():
        assert quantity_of("A-1") == 10


def test_htmx_gets_the_list_alone(browser: FlaskClient) -> None:
    answer = post(browser, "/stock-counts/lines", data={"scan": "A-1"}, headers=HTMX)
    assert is_fragment(answer)
    assert soup(answer).select_one("#count")


def test_viewers_have_no_way_to_it(app: Flask, browser: FlaskClient) -> None:
    assert "/stock-counts/new" in browser.get("/").text
    viewer = app.test_client()
    sign_in(viewer, load_person(app, "viewer"))
    assert "/stock-counts/new" not in viewer.get("/").text
    assert viewer.get("/stock-counts/new").status_code == 403
    assert post(viewer, "/stock-counts/lines").status_code == 403
    assert post(viewer, "/stock-counts/").status_code == 403
    assert app.test_client().get("/stock-counts/new").headers["Location"].startswith("/login")


def test_viewers_may_look_at_what_a_count_has_set_right(app: Flask, browser: FlaskClient) -> None:
    made = send(browser, start(browser, ("A-1", "8")), "/stock-counts/")
    viewer = app.test_client()
    sign_in(viewer, load_person(app, "viewer"))
    page = soup(viewer.get(made.headers["Location"]))
    assert "Green tea" in shown(page, "#main")
    assert not page.select("#main a[href='/stock-counts/new']")


def test_a_count_that_never_was_is_not_found(browser: FlaskClient) -> None:
    assert browser.get("/stock-counts/COUNT-2026-01-01-00000000").status_code == 404


@on_both_databases
def test_two_people_who_count_the_same_end_with_the_later_count(app: Flask, browser: FlaskClient) -> None:
    one, other = start(browser, ("A-1", "8")), start(browser, ("A-1", "12"))
    send(browser, one, "/stock-counts/")
    send(browser, other, "/stock-counts/")
    with app.app_context():
        assert quantity_of("A-1") == 12


def test_low_stock_is_told_in_the_list_of_notifications_and_a_toast(app: Flask, browser: FlaskClient) -> None:
    assert browser.get("/notifications/low-stock/toast").status_code == 204
    send(browser, start(browser, ("A-1", "2")), "/stock-counts/")
    toast = soup(browser.get("/notifications/low-stock/toast", headers=HTMX))
    assert "Green tea is low" in shown(toast, "#toast-low-stock")
    assert "A-1: 2 in stock, reorder at 3." in shown(toast, "#toast-low-stock")
    assert "Green tea is low" in shown(soup(browser.get("/notifications/")), "#notifications .is-unread")
    assert "1 unread" in browser.get("/notifications/bell").text
    opened = browser.get("/notifications/low-stock")
    assert opened.headers["Location"] == "/products/?low_stock=1"
    assert browser.get("/notifications/low-stock/toast").status_code == 204
    assert not soup(browser.get("/notifications/")).select(".is-unread")


def test_a_file_of_a_count_goes_through_the_pages_of_imports(browser: FlaskClient) -> None:
    page = soup(browser.get("/imports/new?resource=stock_counts"))
    chosen = page.select_one("#resource option[selected]")
    assert chosen is not None
    assert chosen["value"] == "stock_counts"
    assert "Counted" in shown(page, "#import-fields")
    for kind in ("csv", "xlsx"):
        assert browser.get(f"/imports/templates/stock_counts.{kind}").status_code == 200
    assert browser.get("/stock_counts/").status_code == 404
