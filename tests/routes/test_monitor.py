"""The monitor's pages without a browser: who may enter, what they show, what their buttons do."""

import json
import re
from typing import Any

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.support.houses import MakeApp, load_person, sign_in
from tests.support.imports import bring_in
from tests.support.jobs import ask, change, look_at
from tests.support.monitor import fail, fill_monitor, log_line, start_consumer
from tests.support.pages import HTMX, is_fragment, post, soup
from webapp.extensions import db
from webapp.models import Change, TaskNotification, User
from webapp.models.clock import db_now
from webapp.services.monitor_types import SHOWN_STATES
from webapp.version import get_version

# A hundred pages: too long for every commit, and in every full run.
pytestmark = pytest.mark.slow

PAGES = [
    "/monitor/",
    "/monitor/jobs/",
    "/monitor/failures/",
    "/monitor/schedules/",
    "/monitor/consumers/",
    "/monitor/logs/",
]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES)
ANY_ID = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def boss(app: Flask) -> FlaskClient:
    """A browser in which the administrator is signed in."""
    return _browser(app, "admin")


def _browser(app: Flask, person: str) -> FlaskClient:
    browser = app.test_client()
    sign_in(browser, load_person(app, person))
    return browser


@pytest.fixture
def made(app: Flask, editor: User) -> dict[str, str]:
    """The task ids of one job in each state."""
    with app.app_context():
        return fill_monitor(editor)


@EVERY_PAGE
@pytest.mark.parametrize("person", ["viewer", "editor"])
def test_a_page_is_for_administrators(app: Flask, page: str, person: str) -> None:
    browser = _browser(app, person)
    assert browser.get(page).status_code == 403
    assert browser.get(page, headers=HTMX).status_code == 403
    assert "Monitor" not in soup(browser.get("/jobs/")).select_one("#sidebar").get_text()  # type: ignore[union-attr]


def list_deeds(app: Flask, task_id: str = ANY_ID) -> list[str]:
    """Every address of the monitor that changes something, read off the application: none can be forgotten."""
    found = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if rule.endpoint.startswith("monitor") and "POST" in (rule.methods or ()):
                for action in (
                    ("retries", "cancellation", "deletion") if "action" in rule.arguments else ("",)
                ):
                    values: Any = {"task_id": task_id, "name": "metrics", "action": action}
                    found.append(url_for(rule.endpoint, **{name: values[name] for name in rule.arguments}))
    return found


@pytest.mark.parametrize("person", ["viewer", "editor"])
def test_every_deed_is_refused_to_who_is_no_administrator(
    app: Flask, made: dict[str, str], person: str
) -> None:
    browser = _browser(app, person)
    deeds = list_deeds(app, made["failed"])
    assert len(deeds) >= 13
    for deed in deeds:
        answer = post(browser, deed, data={"confirmed": "yes", "everything": "yes", "zone": "UTC"})
        assert answer.status_code == 403, deed
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Change)) == 0
        assert db.session.scalar(select(func.count()).select_from(TaskNotification)) == len(made)


@pytest.mark.parametrize("path", [*PAGES, f"/monitor/jobs/{ANY_ID}", f"/monitor/jobs/{ANY_ID}/raw"])
def test_nobody_enters_without_signing_in(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/login")


def test_a_deed_needs_the_token_of_a_form(app: Flask, boss: FlaskClient) -> None:
    for deed in list_deeds(app):
        assert boss.post(deed).status_code == 400, deed


@EVERY_PAGE
def test_a_page_comes_whole_and_as_a_part(boss: FlaskClient, made: dict[str, str], page: str) -> None:
    whole, part = boss.get(page), boss.get(page, headers=HTMX)
    assert whole.status_code == part.status_code == 200
    assert is_fragment(part)
    assert not is_fragment(whole)
    for answer in (whole, part):
        assert " style=" not in answer.text
        assert "hx-on" not in answer.text


@EVERY_PAGE
def test_a_page_of_an_empty_house(boss: FlaskClient, page: str) -> None:
    assert boss.get(page).status_code == 200


def test_the_overview_counts_each_state_and_says_that_nothing_consumes(
    app: Flask, boss: FlaskClient, made: dict[str, str]
) -> None:
    page = soup(boss.get("/monitor/"))
    cards = page.select(".figures-states a")
    assert [card["href"] for card in cards] == [f"/monitor/jobs/?state={state}" for state in SHOWN_STATES]
    assert {card.select_one(".figure-value").get_text(strip=True) for card in cards} == {"1"}  # type: ignore[union-attr]
    alert = page.select_one(".notice-loud")
    assert alert is not None
    assert "No worker is running" in alert.get_text()
    assert len(page.select("#throughput-table tbody tr")) == 60
    with app.app_context():
        start_consumer()
    assert soup(boss.get("/monitor/")).select(".notice-loud") == []


def test_the_tabs_divide_the_jobs(boss: FlaskClient, made: dict[str, str]) -> None:
    for state, task_id in made.items():
        page = soup(boss.get(f"/monitor/jobs/?state={state}"))
        assert [box["value"] for box in page.select("input.tick")] == [task_id]
        counts = [tab.get_text(strip=True) for tab in page.select(".state-tab .count")]
        assert counts == ["8", *("1" for _ in SHOWN_STATES)]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("kind=export", 8),
        ("kind=import", 0),
        ("resource=products&state=failed", 1),
        ("resource=brands", 0),
        ("window=1h", 8),
        ("window=custom&since=2001-01-01&until=2001-12-31", 0),
        ("window=custom&since=2001-01-01", 8),
        ("q=disk+is+full", 1),
        ("q=disk+is+full&state=completed", 0),
        ("user=999999", 0),
    ],
)
def test_filters_combine(boss: FlaskClient, made: dict[str, str], query: str, count: int) -> None:
    page = soup(boss.get(f"/monitor/jobs/?{query}"))
    assert len(page.select("input.tick")) == count
    part = page.select_one("#monitor-jobs")
    assert part is not None
    for pair in query.split("&"):
        assert pair in str(part["hx-get"])


@pytest.mark.parametrize(
    "query",
    [
        "state=x&window=x&user=x&since=x&until=x&cursor=x",
        f"user={10**30}",
        "user=²",
        "window=custom&since=0001-01-01&until=9999-12-31",
        f"cursor={10**30}",
        "q=%00%25_",
        "kind=%00",
        "fingerprint=none",
        "order=sideways",
    ],
)
def test_a_strange_address_is_answered_with_a_page(boss: FlaskClient, query: str) -> None:
    assert boss.get(f"/monitor/jobs/?{query}").status_code == 200


@pytest.mark.parametrize("query", ["level=x", "task_id=x", "q=%00", f"before={10**30}", "before=-1"])
def test_a_strange_address_of_the_logs_too(boss: FlaskClient, query: str) -> None:
    assert boss.get(f"/monitor/logs/?{query}").status_code == 200
    assert boss.get(f"/monitor/logs/lines?{query}&after={10**30}").status_code == 200


def test_pages_lead_through_all_jobs(app: Flask, boss: FlaskClient, editor: User) -> None:
    with app.app_context():
        for _ in range(60):
            ask(editor, model_name="products", file_format="csv")
    first = soup(boss.get("/monitor/jobs/?kind=export"))
    older = next(str(link["href"]) for link in first.select(".pager a"))
    assert "kind=export" in older
    second = soup(boss.get(older))
    ids = [box["value"] for page in (first, second) for box in page.select("input.tick")]
    assert len(ids) == len(set(ids)) == 60


def test_the_list_is_read_from_the_oldest_on_too(app: Flask, boss: FlaskClient, editor: User) -> None:
    with app.app_context():
        made = [ask(editor, model_name="products", file_format="csv") for _ in range(60)]
        ids = [look_at(job_id).task_id for job_id in made]
    turn = soup(boss.get("/monitor/jobs/?kind=export")).select("#sort-asked")[0]["href"]
    first = soup(boss.get(str(turn)))
    newer = next(str(link["href"]) for link in first.select(".pager a"))
    second = soup(boss.get(newer))
    assert [box["value"] for page in (first, second) for box in page.select("input.tick")] == ids
    assert first.select("th[aria-sort=ascending]")
    assert first.select("#sort-asked")[0]["href"] == "/monitor/jobs/?kind=export"
    assert "order=oldest" in str(first.select("#tab-failed")[0]["href"])


def test_an_action_asks_first_with_the_count_then_says_done_and_skipped(
    boss: FlaskClient, made: dict[str, str]
) -> None:
    ticked = [made["failed"], made["cancelled"], made["completed"]]
    question = soup(post(boss, "/monitor/jobs/retries", data={"task_id": ticked, "kind": "export"}))
    assert "Try 3 jobs again?" in question.get_text()
    assert question.select("dialog") == []
    answer = post(boss, "/monitor/jobs/retries", data=_fields(question))
    assert answer.headers["Location"] == "/monitor/jobs/?kind=export"
    said = soup(boss.get(answer.headers["Location"])).select_one(".notice")
    assert said is not None
    assert "2 jobs are tried again." in said.get_text()
    assert "1 was skipped" in said.get_text()


def _fields(page: object) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in page.select(".dialog input[type=hidden]"):  # type: ignore[attr-defined]
        if item["name"] != "csrf_token":
            found.setdefault(item["name"], []).append(item["value"])
    return found


def test_htmx_gets_the_question_as_a_dialog(boss: FlaskClient, made: dict[str, str]) -> None:
    answer = post(boss, "/monitor/jobs/deletion", data={"task_id": made["failed"]}, headers=HTMX)
    assert is_fragment(answer)
    assert len(soup(answer).select("dialog form input[name=csrf_token]")) == 1


def test_everything_that_matches_is_what_the_filter_finds(
    app: Flask, boss: FlaskClient, made: dict[str, str]
) -> None:
    question = soup(post(boss, "/monitor/jobs/deletion", data={"everything": "yes", "state": "failed"}))
    assert "Delete 1 job?" in question.get_text()
    fields = _fields(question)
    assert fields["expected"] == ["1"]
    answer = post(boss, "/monitor/jobs/deletion", data=fields)
    assert answer.headers["Location"] == "/monitor/jobs/?state=failed"
    assert soup(boss.get("/monitor/jobs/")).select(f"input[value='{made['failed']}']") == []
    assert len(soup(boss.get("/monitor/jobs/")).select("input.tick")) == 7


def test_more_than_was_shown_is_not_touched(
    app: Flask, boss: FlaskClient, editor: User, made: dict[str, str]
) -> None:
    fields = _fields(
        soup(post(boss, "/monitor/jobs/deletion", data={"everything": "yes", "state": "failed"}))
    )
    with app.app_context():
        fail(ask(editor, model_name="products", file_format="csv"))
    post(boss, "/monitor/jobs/deletion", data=fields)
    page = soup(boss.get("/monitor/jobs/?state=failed"))
    assert len(page.select("input.tick")) == 2
    assert "More jobs match by now" in page.get_text()


def test_nothing_ticked_is_said(boss: FlaskClient, made: dict[str, str]) -> None:
    answer = post(boss, "/monitor/jobs/retries", follow_redirects=True)
    assert "Tick the jobs first." in answer.text


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        ("scheduled", {"start", "cancellation"}),
        ("pending", {"cancellation"}),
        ("retrying", {"start", "cancellation"}),
        ("processing", {"cancellation", "release"}),
        ("stalled", {"cancellation", "release"}),
        ("completed", {"runs", "deletion"}),
        ("failed", {"retries", "runs", "deletion"}),
        ("cancelled", {"retries", "runs", "deletion"}),
    ],
)
def test_a_job_offers_what_makes_sense(
    boss: FlaskClient, made: dict[str, str], state: str, buttons: set[str]
) -> None:
    page = soup(boss.get(f"/monitor/jobs/{made[state]}"))
    assert {str(form["action"]).rpartition("/")[2] for form in page.select(".job-actions form")} == buttons
    for form in page.select("main form[method=post]"):
        assert form.select("input[name=csrf_token]")


def test_a_failed_job_shows_its_tries_and_hides_secrets(boss: FlaskClient, made: dict[str, str]) -> None:
    answer = boss.get(f"/monitor/jobs/{made['failed']}")
    assert "No space left on device" in answer.text
    assert "very secret" not in answer.text
    raw = boss.get(f"/monitor/jobs/{made['failed']}/raw")
    assert raw.mimetype == "application/json"
    assert json.loads(raw.text)["task_id"] == made["failed"]
    assert "very secret" not in raw.text


def test_the_buttons_of_a_job_work(app: Flask, boss: FlaskClient, made: dict[str, str]) -> None:
    def state_of(task_id: str) -> str:
        badge = soup(boss.get(f"/monitor/jobs/{task_id}")).select_one(".job-head .state")
        assert badge is not None
        return re.sub(r"^state state-", "", " ".join(badge["class"]))

    def do(state: str, noun: str, **data: str) -> str:
        answer = post(boss, f"/monitor/jobs/{made[state]}/{noun}", data=data)
        assert answer.status_code == 303
        return str(answer.headers["Location"])

    do("scheduled", "start")
    assert state_of(made["scheduled"]) == "pending"
    do("pending", "cancellation")
    assert state_of(made["pending"]) == "cancelled"
    do("failed", "retries")
    assert state_of(made["failed"]) == "pending"
    assert b"dialog-title" in post(boss, f"/monitor/jobs/{made['stalled']}/release").data
    do("stalled", "release", confirmed="yes")
    assert state_of(made["stalled"]) == "pending"
    again = do("completed", "runs")
    assert made["completed"] not in again
    assert state_of(again.rpartition("/")[2]) == "pending"
    assert do("completed", "deletion", confirmed="yes") == "/monitor/jobs/"
    assert boss.get(f"/monitor/jobs/{made['completed']}").status_code == 404


def test_a_deed_that_is_no_longer_possible_is_said(boss: FlaskClient, made: dict[str, str]) -> None:
    answer = post(boss, f"/monitor/jobs/{made['completed']}/retries", follow_redirects=True)
    assert "Only a job that failed or was cancelled can be tried again." in answer.text


def test_failures_are_grouped_and_a_group_is_acted_on(
    app: Flask, boss: FlaskClient, editor: User, made: dict[str, str]
) -> None:
    with app.app_context():
        ids = [ask(editor, model_name="products", file_format="csv") for _ in range(3)]
        for number, job_id in enumerate(ids):
            fail(job_id, f"Line {number} is bad.", "a" * 64)
    page = soup(boss.get("/monitor/failures/"))
    assert [item.get_text(strip=True)[0] for item in page.select(".group-count")] == ["3", "1"]
    form = page.select(".group form")[0]
    data = {item["name"]: item["value"] for item in form.select("input") if item["name"] != "csrf_token"}
    question = soup(post(boss, "/monitor/jobs/retries", data=data))
    assert "Try 3 jobs again?" in question.get_text()
    answer = post(boss, "/monitor/jobs/retries", data=_fields(question))
    assert answer.headers["Location"] == "/monitor/failures/?window=24h"
    with app.app_context():
        assert {look_at(job_id).status for job_id in ids} == {"pending"}
    assert len(soup(boss.get("/monitor/failures/")).select(".group")) == 1


def test_the_list_of_a_group_shows_as_many_as_the_group_says(
    app: Flask, boss: FlaskClient, editor: User, made: dict[str, str]
) -> None:
    with app.app_context():
        for days in (0, 2, 40):
            job_id = ask(editor, model_name="products", file_format="csv")
            fail(job_id, fingerprint="c" * 64)
            change(job_id, created_at=db_now(-days * 24 * 3600 - 60))
        change(job_id, completed_at=db_now(-30 * 3600))
    for window, count in (("24h", 2), ("7d", 3)):
        groups = soup(boss.get(f"/monitor/failures/?window={window}")).select(".group")
        shown = {
            str(group.select(".row-link")[0]["href"]): group.select(".group-count")[0] for group in groups
        }
        url = next(url for url in shown if "c" * 64 in url)
        assert shown[url].get_text().split()[0] == str(count)
        listed = soup(boss.get(url))
        assert len(listed.select("input.tick")) == count
        assert listed.select("#tab-failed .count")[0].get_text() == str(count)


def test_every_page_says_which_house_it_is(app: Flask, boss: FlaskClient, make_app: MakeApp) -> None:
    def place(browser: FlaskClient) -> tuple[str, str]:
        badge = soup(browser.get("/monitor/jobs/")).select(".place")[0]
        return badge.get_text(strip=True), str(badge["title"])

    assert place(boss) == ("Development", f"Version {get_version()}")
    live = make_app(APP_ENV="production", SECRET_KEY="k" * 40 + "x")
    assert place(_browser(live, "admin"))[0] == "Production"


def test_times_are_shown_in_the_zone_that_was_chosen(boss: FlaskClient, made: dict[str, str]) -> None:
    def now() -> str:
        return soup(boss.get("/monitor/schedules/")).select(".list-count")[0].get_text()

    in_utc = now()
    answer = post(
        boss,
        "/monitor/timezone",
        data={"zone": "Asia/Kolkata"},
        headers={"Referer": "http://localhost/monitor/logs/"},
    )
    assert answer.headers["Location"] == "/monitor/logs/"
    assert now() != in_utc
    chosen = soup(boss.get("/monitor/")).select("#zone option[selected]")
    assert [option["value"] for option in chosen] == ["Asia/Kolkata"]
    post(boss, "/monitor/timezone", data={"zone": "Nowhere/Land"})
    assert soup(boss.get("/monitor/")).select("#zone option[selected]")[0]["value"] == "Asia/Kolkata"
    post(boss, "/monitor/timezone", data={"zone": "UTC"})
    assert soup(boss.get("/monitor/")).select("#zone option[selected]")[0]["value"] == "UTC"


def test_the_overview_is_there_for_scripts(boss: FlaskClient, made: dict[str, str]) -> None:
    told = json.loads(boss.get("/monitor/overview.json").text)
    assert told["counts"] == dict.fromkeys(SHOWN_STATES, 1)
    assert (told["is_nothing_consuming"], told["database"]["is_ok"]) == (True, True)


def test_a_kind_that_nobody_knows_is_shown_and_said(app: Flask, boss: FlaskClient, editor: User) -> None:
    with app.app_context():
        waiting = look_at(
            ask(editor, "of_another_version", model_name="gone", params={"a": {"b": [1]}})
        ).task_id
        ended = ask(editor, "of_another_version")
        fail(ended)
        ended_id = look_at(ended).task_id
    page = soup(boss.get(f"/monitor/jobs/{waiting}")).get_text(" ", strip=True)
    assert "No code of this version does jobs of the kind “of_another_version”. Deploy the version" in page
    assert "1 entry" in page
    assert "This one is kept as it ended." in boss.get(f"/monitor/jobs/{ended_id}").text
    for path in ("/monitor/jobs/", f"/jobs/{ended_id}", "/monitor/failures/", "/notifications/"):
        assert boss.get(path).status_code == 200


def test_a_job_tells_what_people_did_and_how_its_kind_went(boss: FlaskClient, made: dict[str, str]) -> None:
    post(boss, f"/monitor/jobs/{made['scheduled']}/start")
    post(boss, f"/monitor/jobs/{made['scheduled']}/cancellation")
    page = soup(boss.get(f"/monitor/jobs/{made['scheduled']}"))
    deeds = [item.get_text(" ", strip=True) for item in page.select(".deeds li")]
    assert [deed.partition(" admin@")[0] for deed in deeds] == ["Run now", "Cancelled"]
    bars = page.select(".spark-item")
    assert len(bars) == 8
    assert [bar["href"] for bar in bars if bar.has_attr("aria-current")] == [
        f"/monitor/jobs/{made['scheduled']}"
    ]


def test_the_log_of_a_job_is_searched_on_its_page(app: Flask, boss: FlaskClient, editor: User) -> None:
    with app.app_context():
        job_id = ask(editor)
        task_id = look_at(job_id).task_id
        for message, level in (("first", "INFO"), ("second", "ERROR")):
            log_line(message, job_id, level)
        log_line("second of nobody")
    for query, count in (("", 2), ("&q=SECOND", 1), ("&level=ERROR", 1), ("&q=nothing", 0)):
        part = soup(boss.get(f"/monitor/logs/tail?task_id={task_id}{query}", headers=HTMX)).select(".log")[0]
        assert len(part.select(".log-line")) == count, query
        assert query.removeprefix("&") in str(part["data-url"])
    assert boss.get("/monitor/logs/tail?task_id=%00&q=%25").status_code == 200


def test_an_import_is_taken_up_again_from_its_job(app: Flask, boss: FlaskClient, editor: User) -> None:
    with app.app_context():
        task_id = bring_in(editor, "categories", "name\nTools\n").task_id
    page = soup(boss.get(f"/monitor/jobs/{task_id}"))
    assert [str(form["action"]).rpartition("/")[2] for form in page.select(".job-actions form")] == [
        "imports",
        "deletion",
    ]
    answer = post(boss, f"/monitor/jobs/{task_id}/imports")
    shown = boss.get(answer.headers["Location"]).text
    assert "Nothing is saved until you start it." in shown
    assert answer.headers["Location"] not in str(page)
    refused = post(boss, f"/monitor/jobs/{task_id}/imports", headers=HTMX).headers["HX-Redirect"]
    assert refused.startswith("/imports/")


def test_opening_a_job_reads_its_notification(app: Flask, editor: User) -> None:
    with app.app_context():
        made = [ask(editor, model_name="products", file_format="csv") for _ in range(2)]
        for job_id in made:
            fail(job_id)
        ids = [look_at(job_id).task_id for job_id in made]
    owner, boss = _browser(app, "editor"), _browser(app, "admin")
    assert "2 unread" in owner.get("/notifications/bell").text
    boss.get(f"/monitor/jobs/{ids[0]}")  # somebody else's look reads nothing
    assert "2 unread" in owner.get("/notifications/bell").text
    assert "1 unread" in owner.get(f"/jobs/{ids[0]}").text
    assert len(soup(owner.get("/notifications/")).select(".news-item.is-unread")) == 1


def test_log_lines_are_filtered_and_asked_for_from_the_last_one_on(
    app: Flask, boss: FlaskClient, made: dict[str, str], editor: User
) -> None:
    with app.app_context():
        job_id = ask(editor)
        task_id = look_at(job_id).task_id
        log_line("one <b>", job_id)
        log_line("two", level="ERROR")
    lines = soup(boss.get("/monitor/logs/")).select(".log-line")
    assert [line.select_one(".log-message").get_text()[:7] for line in lines] == ["one <b>", "two"]  # type: ignore[union-attr]
    assert len(soup(boss.get("/monitor/logs/?level=ERROR")).select(".log-line")) == 1
    assert len(soup(boss.get("/monitor/logs/?q=TWO")).select(".log-line")) == 1
    part = soup(boss.get(f"/monitor/logs/lines?task_id={task_id}&after=0", headers=HTMX)).select_one("ol")
    assert part is not None
    assert len(part.select(".log-line")) == 1
    assert not part.has_attr("data-ended")
    rest = soup(boss.get(f"/monitor/logs/lines?after={part['data-last']}")).select(".log-line")
    assert len(rest) == 1


def test_the_lines_of_a_job_that_ended_say_so(boss: FlaskClient, made: dict[str, str]) -> None:
    part = soup(boss.get(f"/monitor/logs/lines?task_id={made['failed']}&after=0")).select_one("ol")
    assert part is not None
    assert part.has_attr("data-ended")


def test_consumers_show_their_marks(app: Flask, boss: FlaskClient) -> None:
    with app.app_context():
        start_consumer()
    text = soup(boss.get("/monitor/consumers/")).select_one("tbody").get_text(" ", strip=True)  # type: ignore[union-attr]
    assert "shop-1" in text
    assert "process 4711" in text
    assert "not the web's version" in text


def test_a_schedule_is_switched_off_and_on_and_run(boss: FlaskClient) -> None:
    post(boss, "/monitor/schedules/metrics/switch", data={"state": "off"})
    assert "Turn on" in boss.get("/monitor/schedules/").text
    post(boss, "/monitor/schedules/metrics/switch", data={"state": "on"})
    assert "Turn on" not in boss.get("/monitor/schedules/").text
    answer = post(boss, "/monitor/schedules/metrics/runs")
    assert "Dashboard figures" in boss.get(answer.headers["Location"]).text
    assert post(boss, "/monitor/schedules/nothing/runs").status_code == 404


def test_owners_see_their_tries_without_tracebacks_and_delete_their_own(
    app: Flask, made: dict[str, str]
) -> None:
    owner, stranger = _browser(app, "editor"), _browser(app, "stranger")
    url = f"/jobs/{made['failed']}"
    page = owner.get(url)
    assert "Traceback" not in page.text
    assert "/monitor/" not in page.text
    assert post(stranger, f"{url}/deletion", data={"confirmed": "yes"}).status_code == 404
    assert post(stranger, f"{url}/runs").status_code == 404
    again = post(owner, f"{url}/runs").headers["Location"]
    assert owner.get(again).status_code == 200
    assert "Delete this job?" in post(owner, f"{url}/deletion").text
    assert post(owner, f"{url}/deletion", data={"confirmed": "yes"}).headers["Location"] == "/jobs/"
    assert owner.get(url).status_code == 404
