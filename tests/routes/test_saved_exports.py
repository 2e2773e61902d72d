"""Saved exports on their pages: kept, run with one click, changed, scheduled, deleted; no script needed."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.routes.test_exports import filled, shown
from tests.support.factories import fill_shop
from tests.support.houses import MakeApp, drain_queue, load_person, sign_in
from tests.support.pages import post, soup
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import SavedExport

pytestmark = pytest.mark.slow  # together they take longer than a commit should

SAVED = {"resource": "products", "format": "csv", "filter-q": "cafe", "fields": ["title", "sell_price"]}


@pytest.fixture
def browser(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser of the editor's, in a shop with something of every kind."""
    with app.app_context():
        fill_shop()
    sign_in(client, load_person(app, "editor"))
    return client


def keep(browser: FlaskClient, name: str = "Coffee", **values: Any) -> str:
    """Save an export and return its address."""
    answer = post(browser, "/exports/saved/", data=SAVED | {"name": name} | values)
    assert answer.status_code == 303, shown(soup(answer), "[role=alert]")
    links = soup(browser.get("/exports/")).select("#exports td.is-main a[href^='/exports/saved/']")
    return next(str(link["href"]) for link in links if link.get_text() == name)


def test_one_click_runs_it_again(browser: FlaskClient) -> None:
    url = keep(browser)
    row = soup(browser.get("/exports/")).select_one("#exports tbody tr")
    assert row is not None
    assert "the search finds cafe" in row.get_text(" ", strip=True)
    form = row.select_one("form[action$='/runs']")
    assert form is not None
    job = post(browser, str(form["action"])).headers["Location"]
    drain_queue()
    assert browser.get(f"{job}/download").text.splitlines() == ["title,sell_price", "Café,4.90"]
    assert url in str(form["action"])


def test_it_is_changed_renamed_and_scheduled_on_one_form(browser: FlaskClient) -> None:
    url = keep(browser)
    sent = filled(soup(browser.get(url)))
    assert (sent["name"], sent["fields"], sent["filter-q"]) == ("Coffee", ["title", "sell_price"], "cafe")
    change = {"name": "Tea", "filter-q": "tea", "repeat": "weekly", "weekday": "4", "hour": "18"}
    assert post(browser, url, data=sent | change).status_code == 303
    words = shown(soup(browser.get("/exports/")), "#exports tbody tr")
    assert "Tea" in words
    assert "Every week on Friday at 6:00" in words
    assert "next:" in words
    again = filled(soup(browser.get(url)))
    assert {name: again[name] for name in change} == change


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "Only by hand"),
        ({"repeat": "daily", "hour": "0"}, "Every day at 12:00 AM"),
        ({"repeat": "monthly", "day": "15", "hour": "7"}, "Every month on day 15 at 7:00 AM"),
        ({"repeat": "monthly", "day": "31", "hour": "7"}, "Every month on its last day at 7:00 AM"),
    ],
)
def test_its_hours_are_said_in_words(browser: FlaskClient, values: dict[str, str], words: str) -> None:
    keep(browser, **values)
    said = shown(soup(browser.get("/exports/")), "#exports tbody tr")
    assert words in said
    assert ("next:" in said) is bool(values)


def test_the_next_run_is_shown_by_the_clocks_of_the_house(make_app: MakeApp) -> None:
    app = make_app(APP_TIMEZONE="America/Sao_Paulo")
    browser = app.test_client()
    sign_in(browser, load_person(app, "editor"))
    keep(browser, repeat="daily", hour="6")
    words = shown(soup(browser.get("/exports/")), "#exports tbody tr")
    assert "6:00 AM" in words.rpartition("next:")[2]
    with app.app_context():
        found = db.session.query(SavedExport).one().next_run_at
        assert found is not None
        assert found.hour == 9


def test_save_and_run_does_both(browser: FlaskClient) -> None:
    url = keep(browser)
    answer = post(browser, url, data=filled(soup(browser.get(url))) | {"filter-q": "", "action": "run"})
    drain_queue()
    assert browser.get(f"{answer.headers['Location']}/download").text.count("4.90") == 3


def test_looking_at_its_records_changes_nothing(browser: FlaskClient) -> None:
    url = keep(browser)
    sent = filled(soup(browser.get(url)))
    looked = soup(post(browser, url, data=sent | {"filter-q": "", "action": "look", "name": "Other"}))
    assert "3 records" in shown(looked)
    assert filled(looked)["name"] == "Other"
    assert filled(soup(browser.get(url))) == sent


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "has no name"),
        ({"name": "coffee"}, "already saved an export named “coffee”"),
        ({"repeat": "yearly"}, "not a time"),
        ({"repeat": "daily", "hour": "25"}, "not a time"),
        ({"fields": []}, "No column"),
    ],
)
def test_what_cannot_be_saved_is_said_and_what_was_typed_stays(
    browser: FlaskClient, wrong: dict[str, Any], said: str
) -> None:
    keep(browser)
    data = SAVED | {"name": "Another", "fields-shown": "1", "filter-q": "typed"} | wrong
    answer = post(browser, "/exports/saved/", data=data)
    page = soup(answer)
    assert (answer.status_code, said in shown(page, "[role=alert]")) == (422, True)
    assert filled(page)["filter-q"] == "typed"


def test_it_is_deleted_after_a_question(browser: FlaskClient) -> None:
    url = keep(browser)
    question = post(browser, f"{url}/deletion")
    assert "Delete “Coffee”?" in question.text
    assert browser.get(url).status_code == 200
    assert post(browser, f"{url}/deletion", data={"confirmed": "yes"}).status_code == 303
    assert browser.get(url).status_code == 404


def test_it_is_its_owners_and_administrators_only_look(app: Flask, browser: FlaskClient) -> None:
    url = keep(browser, repeat="daily")
    for person, seen, done in (("stranger", 404, 404), ("viewer", 404, 404), ("admin", 200, 403)):
        other = app.test_client()
        sign_in(other, load_person(app, person))
        assert other.get(url).status_code == seen
        for path in ("", "/runs", "/deletion"):
            data = SAVED | {"name": "Mine", "confirmed": "yes"}
            assert post(other, url + path, data=data).status_code == done, (person, path)
        assert ("Scheduled by others" in other.get("/exports/").text) is (person == "admin")
    assert filled(soup(browser.get(url)))["name"] == "Coffee"


def test_a_stopped_one_says_why(app: Flask, browser: FlaskClient) -> None:
    keep(browser, repeat="daily")
    with app.app_context(), write_transaction():
        saved = db.session.query(SavedExport).one()
        saved.next_run_at = None
        saved.note = {
            "message": "It stopped: %(value)s.",
            "advice": "Save it again.",
            "params": {"value": "why"},
        }
    words = shown(soup(browser.get("/exports/")), "#exports tbody tr")
    assert "stopped" in words
    assert "It stopped: why. Save it again." in words


def test_one_that_is_too_long_for_its_format_offers_others_when_it_is_run(make_app: MakeApp) -> None:
    app = make_app(PDF_MAX_ROWS="1")
    with app.app_context():
        fill_shop()
    browser = app.test_client()
    sign_in(browser, load_person(app, "editor"))
    url = keep(browser, format="pdf", **{"filter-q": ""})
    answer = post(browser, f"{url}/runs")
    assert (answer.status_code, "up to 1 rows" in answer.text) == (422, True)
