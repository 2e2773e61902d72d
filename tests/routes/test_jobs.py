"""Jobs and their files in the hands of their owner, and of nobody else."""

import re
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from tests.support.factories import fill_shop
from tests.support.houses import drain_queue, load_person, sign_in
from tests.support.jobs import ask, change, claim, look_at
from tests.support.monitor import fill_monitor
from tests.support.pages import HTMX, is_fragment, post, soup
from webapp.database import write_transaction
from webapp.models import JobAttempt
from webapp.models.base import utc_now
from webapp.services import exports, files, jobs


@pytest.fixture
def browser(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser of the editor's."""
    sign_in(client, load_person(app, "editor"))
    return client


@pytest.fixture
def job(app: Flask) -> str:
    """The address of a finished export of the editor's."""
    with app.app_context():
        fill_shop()
        asked = exports.request_export(load_person(app, "editor"), "products", "csv")
        drain_queue()
        return f"/jobs/{look_at(asked.id).task_id}"


def test_an_export_is_asked_for_and_downloaded(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        fill_shop()
    asked = post(browser, "/exports/", data={"resource": "products", "format": "csv", "filter-q": "cafe"})
    assert asked.status_code == 303
    drain_queue()
    file = browser.get(f"{asked.headers['Location']}/download")
    assert file.text.count("Café") == 1
    assert file.headers["Content-Disposition"].startswith('attachment; filename="products-')
    assert file.headers["Content-Length"] == str(len(file.data))
    assert "sandbox" in file.headers["Content-Security-Policy"]


def test_with_htmx_asking_gives_a_toast_and_the_page_stays(browser: FlaskClient) -> None:
    answer = post(browser, "/exports/", data={"resource": "products", "format": "csv"}, headers=HTMX)
    assert answer.status_code == 202
    assert is_fragment(answer)
    assert "Preparing the export" in answer.text


def test_a_wrong_request_is_said_on_the_page(browser: FlaskClient) -> None:
    answer = post(browser, "/exports/", data={"resource": "products", "format": "doc"})
    alert = soup(answer).select_one("[role=alert]")
    assert alert is not None
    assert (answer.status_code, "There is no format “doc”" in alert.get_text()) == (422, True)


@pytest.mark.parametrize("part", ["", "/progress", "/download"])
def test_a_job_is_not_there_for_others(app: Flask, job: str, part: str) -> None:
    expected = {"stranger": 404, "viewer": 404, "editor": 200, "admin": 200}
    for person, status in expected.items():
        client = app.test_client()
        sign_in(client, load_person(app, person))
        assert client.get(job + part).status_code == status, person


@pytest.mark.parametrize("verb", ["cancellation", "retries", "read-mark"])
def test_a_job_is_not_changed_by_others(app: Flask, job: str, verb: str) -> None:
    client = app.test_client()
    sign_in(client, load_person(app, "stranger"))
    assert post(client, f"{job}/{verb}").status_code == 404
    with app.app_context():
        kept = jobs.get_job(load_person(app, "editor"), job.rpartition("/")[2])
        assert (kept.status, kept.is_read) == ("completed", False)


def test_opening_the_bell_counts_down(browser: FlaskClient, job: str) -> None:
    assert "1 unread" in browser.get("/notifications/bell").text
    assert "1 unread" not in post(browser, f"{job}/read-mark").text


def test_the_progress_of_an_ended_job_asks_for_nothing_more(browser: FlaskClient, job: str) -> None:
    part = soup(browser.get(f"{job}/progress", headers=HTMX))
    assert part.select("[hx-get]") == []


def test_the_pace_is_that_of_the_present_try(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        run = claim(ask(load_person(app, "editor"), model_name="products", file_format="csv"))
        now = utc_now()
        change(run.id, started_at=now - timedelta(hours=5), processed=500, total=1_000)
        with write_transaction() as session:
            session.execute(update(JobAttempt).values(started_at=now - timedelta(seconds=10)))
    text = " ".join(soup(browser.get(f"/jobs/{run.task_id}/progress", headers=HTMX)).get_text().split())
    assert "500 of 1,000 rows" in text
    rate = re.search(r"(\d+) a second · about 1\d s left", text)
    assert rate is not None, text
    assert 30 < int(rate[1]) <= 50


def test_a_file_that_was_swept_is_said_to_be_gone(app: Flask, browser: FlaskClient, job: str) -> None:
    with app.app_context():
        files.sweep_expired(utc_now().replace(year=2200))
    answer = browser.get(f"{job}/download")
    assert answer.status_code == 404
    assert "no longer kept" in answer.text


def test_own_jobs_have_tabs_and_filters_that_stay_in_the_address(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        editor = load_person(app, "editor")
        made = fill_monitor(editor)
        fill_monitor(load_person(app, "stranger"))
        named = look_at(ask(editor, "import", params={"file_name": "May 100%.csv"})).task_id
    for state, task_id in made.items():
        page = soup(browser.get(f"/jobs/?state={state}&kind=export"))
        assert _listed(page) == [task_id]
        assert page.select(".state-tab[aria-current]")[0]["href"] == f"/jobs/?state={state}&kind=export"
        assert page.select("#jobs")[0]["hx-get"] == f"/jobs/?state={state}&kind=export"
    assert len(_listed(soup(browser.get("/jobs/")))) == 9
    assert _listed(soup(browser.get("/jobs/?kind=import"))) == [named]
    assert _listed(soup(browser.get("/jobs/?q=100%25.csv"))) == [named]
    assert "None of your jobs fits" in browser.get("/jobs/?q=nothing").text
    for strange in ("state=x&kind=x", "q=%00%25_", f"before={10**30}", "before=-1", "user=1"):
        assert browser.get(f"/jobs/?{strange}").status_code == 200


def _listed(page: BeautifulSoup) -> list[str]:
    return [str(link["href"]).rpartition("/")[2] for link in page.select("#jobs .row-link")]
