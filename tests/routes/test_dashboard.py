"""The first page: figures with their age, links to what they sum up, and the numbers as files."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from tests.support.factories import fill_shop, save
from tests.support.houses import load_person, sign_in
from tests.support.jobs import carry_out
from tests.support.pages import HTMX, is_fragment, post, soup
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Metric, TaskNotification
from webapp.services import metrics, metrics_job


@pytest.fixture
def browser(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser of the editor's, in a shop with something of every kind."""
    with app.app_context():
        fill_shop()
    sign_in(client, load_person(app, "editor"))
    return client


def grow_old(app: Flask, minutes: int) -> None:
    """Let the figures be that old."""
    with app.app_context(), write_transaction() as session:
        moment = datetime.now(UTC) - timedelta(minutes=minutes)
        for row in session.query(Metric):
            row.value = {**row.value, "computed_at": moment.isoformat()}
            row.computed_at = moment


@pytest.mark.parametrize(("minutes", "is_old"), [(9, False), (11, True)])
def test_figures_say_how_old_they_are(
    app: Flask, browser: FlaskClient, minutes: int, *, is_old: bool
) -> None:
    browser.get("/")
    grow_old(app, minutes)
    page = browser.get("/")
    assert f"{minutes} min ago" in page.text
    assert ("Old figures" in page.text) is is_old


def test_new_figures_are_drawn_anew(app: Flask, browser: FlaskClient) -> None:
    assert soup(browser.get("/")).select_one(".figures .figure-value") is not None
    with app.app_context():
        save("categories", {"name": "Garden"})
        now = datetime.now(UTC)
        values = metrics.compute_metrics(now)
        values["metrics:product"]["products"] = 4711
        with write_transaction() as session:
            metrics.store_metrics(session, values, now)
    assert "4,711" in browser.get("/").text


def test_every_figure_leads_to_the_list_it_sums_up(browser: FlaskClient) -> None:
    page = soup(browser.get("/"))
    links = [
        str(link["href"]) for link in page.select("#dashboard a[href]") if "/jobs/" not in str(link["href"])
    ]
    assert len(links) > 40
    for address in dict.fromkeys(links):
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert soup(answer).select(".notice") == [], f"{address} has a filter that is not understood"


def test_the_link_of_a_day_lists_the_sales_of_that_day_alone(app: Flask, browser: FlaskClient) -> None:
    page = soup(browser.get("/"))
    today = page.select("#sales-table tbody a")[-1]
    assert "S-1" in browser.get(str(today["href"])).text
    yesterday = page.select("#sales-table tbody a")[-2]
    assert "S-1" not in browser.get(str(yesterday["href"])).text


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [("sales", 6, 30), ("categories", 5, 2), ("brands", 5, 2), ("best-sellers", 6, 1)],
)
def test_the_numbers_of_a_chart_are_a_file(browser: FlaskClient, name: str, columns: int, rows: int) -> None:
    answer = browser.get(f"/figures/{name}.csv")
    found = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert answer.headers["Content-Disposition"].startswith(f"attachment; filename={name}-2")
    assert {len(row) for row in found} == {columns}
    assert len(found) == 1 + rows


def test_a_name_that_a_spreadsheet_would_run_is_harmless(browser: FlaskClient) -> None:
    assert ",'=1+1," in f",{browser.get('/figures/best-sellers.csv').text}".replace("\n", ",")


def test_there_is_no_other_file(browser: FlaskClient) -> None:
    assert browser.get("/figures/users.csv").status_code == 404


def test_refreshing_answers_in_place(browser: FlaskClient) -> None:
    answer = post(browser, "/figures/refresh", headers=HTMX)
    assert (answer.status_code, is_fragment(answer)) == (202, True)
    assert "Computing" in answer.text


def test_without_a_script_it_comes_back_to_the_page(browser: FlaskClient) -> None:
    answer = post(browser, "/figures/refresh")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_without_a_script_the_page_says_that_figures_are_being_computed(
    app: Flask, browser: FlaskClient
) -> None:
    assert soup(browser.get("/")).select(".refresh[role=status]") == []
    post(browser, "/figures/refresh")
    (sign,) = soup(browser.get("/")).select(".refresh[role=status]")
    assert "Computing" in sign.text
    assert [link["href"] for link in sign.select("noscript a")] == ["/"]
    with app.app_context():
        (refresh,) = db.session.query(TaskNotification).filter_by(task_type="metrics")
        carry_out(refresh.id, metrics_job.run_metrics)
    assert "Refresh now" in browser.get("/").text


@pytest.mark.parametrize(
    ("recent", "earlier", "words"),
    [
        ("15.00", "10.00", "+50%"),
        ("5.00", "10.00", "\N{MINUS SIGN}50%"),
        ("10.00", "0.00", "+$10.00"),
        ("10.00", "-5.00", "+$15.00"),  # of a loss there is no share
        ("-5.00", "10.00", "\N{MINUS SIGN}150%"),
        ("0.00", "0.00", "nothing in the 30 days before"),
    ],
)
def test_a_figure_is_compared_with_the_period_before(
    app: Flask, browser: FlaskClient, recent: str, earlier: str, words: str
) -> None:
    with app.app_context():
        now = datetime.now(UTC)
        values = metrics.compute_metrics(now)
        values["metrics:sales"]["last_30_days"]["profit"] = recent
        values["metrics:sales"]["previous_30_days"]["profit"] = earlier
        with write_transaction() as session:
            metrics.store_metrics(session, values, now)
    card = next(item for item in soup(browser.get("/")).select(".figure") if "Profit" in item.text)
    assert words in " ".join(card.text.split())


def test_a_viewer_is_not_offered_a_refresh(app: Flask, client: FlaskClient) -> None:
    sign_in(client, load_person(app, "viewer"))
    assert "Refresh now" not in client.get("/").text
    assert post(client, "/figures/refresh").status_code == 403


def test_the_page_of_an_empty_shop_says_how_to_begin(app: Flask, client: FlaskClient) -> None:
    sign_in(client, load_person(app, "editor"))
    page = client.get("/")
    assert "Welcome to Stockroom" in page.text
    assert "Nothing came in or went out yet." in page.text


def test_reading_the_page_computes_nothing(
    app: Flask, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.get("/")
    monkeypatch.setattr(metrics, "compute_metrics", None)
    with app.app_context(), write_transaction() as session:
        session.execute(update(Metric).values(computed_at=datetime(2020, 1, 1, tzinfo=UTC)))
        db.session.expire_all()
    assert browser.get("/").status_code == 200
