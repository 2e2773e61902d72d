"""The monitor in a browser: it moves by itself, and what somebody reads, ticks or selects stays."""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import sign_in
from tests.support.browser import open_window
from tests.support.jobs import ask, change, look_at
from tests.support.monitor import fail, fill_monitor, log_line, start_consumer
from tests.support.stack import Stack
from webapp import live
from webapp.database import write_transaction
from webapp.models import User
from webapp.services.job_protocol import find_job_id

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = [
    (1440, 900, "light"),
    (390, 844, "dark"),
    pytest.param(1440, 900, "dark", marks=pytest.mark.soak),
    pytest.param(390, 844, "light", marks=pytest.mark.soak),
]
PAGES = ["", "jobs/", "failures/", "schedules/", "consumers/", "logs/"]


@pytest.fixture
def made(app: Flask, stack: Stack, editor: User) -> dict[str, str]:
    """A web process, and the task ids of one job in each state."""
    with app.app_context():
        found = fill_monitor(editor)
        start_consumer()
        for number in range(80):
            log_line(f"line {number}")
    stack.start_web()
    return found


@pytest.mark.parametrize(("width", "height", "scheme"), LOOKS)
def test_every_page_fits_and_breaks_no_rule(
    made: dict[str, str], open_as: Callable[..., Page], width: int, height: int, scheme: str
) -> None:
    page = open_as("admin", viewport={"width": width, "height": height}, color_scheme=scheme)
    for path in [*PAGES, *(f"jobs/{task_id}" for task_id in made.values())]:
        page.goto(f"/monitor/{path}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_list_moves_by_itself_and_keeps_its_ticks(
    app: Flask, made: dict[str, str], editor: User, open_as: Callable[..., Page]
) -> None:
    page = open_as("admin")
    page.goto("/monitor/jobs/?kind=export")
    tick = page.locator(f"#tick-{made['failed']}")
    tick.check()
    expect(page.locator(".bulk-count")).to_have_text("1 ticked")
    with app.app_context():
        job_id = ask(editor, model_name="brands", file_format="csv")
        with write_transaction() as session:
            live.publish_job(session, look_at(job_id), live.JOB_PROGRESS)
    expect(page.locator("input.tick")).to_have_count(9)
    expect(tick).to_be_checked()
    expect(page.locator(".bulk-count")).to_have_text("1 ticked")


def test_an_action_asks_in_a_dialog_and_keeps_the_filter(
    made: dict[str, str], open_as: Callable[..., Page]
) -> None:
    page = open_as("admin")
    page.goto("/monitor/jobs/?state=failed&kind=export")
    retry = page.locator("#bulk-retries")
    expect(retry).to_be_disabled()
    page.locator("#tick-everything").check()
    retry.click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("Try 1 job again?")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    retry.click()
    dialog.get_by_role("button", name="Try again").click()
    expect(page.locator(".notice")).to_contain_text("1 job is tried again.")
    assert page.url.endswith("/monitor/jobs/?state=failed&kind=export")
    expect(page.locator("input.tick")).to_have_count(0)


def test_filters_combine_stay_in_the_address_and_outlive_an_action(
    app: Flask, made: dict[str, str], editor: User, stranger: User, open_as: Callable[..., Page]
) -> None:
    with app.app_context():
        for number in range(3):
            fail(ask(editor, "import", model_name="brands", params={"file_name": f"May {number}.csv"}))
        fail(ask(stranger, "import", model_name="brands", params={"file_name": "May 1.csv"}))
    page = open_as("admin")
    page.goto("/monitor/jobs/")
    ticks = page.locator("input.tick")
    expect(ticks).to_have_count(len(made) + 4)
    for state, task_id in made.items():
        page.locator(f"#tab-{state}").click()
        page.wait_for_url(re.compile(f"state={state}"))
        expect(page.locator(f"#tick-{task_id}")).to_be_visible()
        expect(ticks).to_have_count(5 if state == "failed" else 1)
    page.locator("#tab-failed").click()
    filters = page.locator("#monitor-filters")
    left = {
        "kind": ("import", 4),
        "resource": ("brands", 4),
        "user": (str(editor.id), 3),
        "window": ("1h", 3),
    }
    for name, (value, count) in left.items():
        filters.locator(f"[name={name}]").select_option(value)
        expect(ticks).to_have_count(count)
    filters.locator("[name=q]").fill("may 1")
    expect(ticks).to_have_count(1)
    expect(page.locator("#tab-failed .count")).to_have_text("1")
    wanted = {"state": "failed", **{name: value for name, (value, _) in left.items()}, "q": "may 1"}
    expect(page).to_have_url(re.compile("may"))
    assert _address(page) == wanted

    ticks.first.check()
    page.locator("#bulk-retries").click()
    page.locator("dialog[open]").get_by_role("button", name="Try again").click()
    expect(page.locator(".notice")).to_contain_text("1 job is tried again.")
    expect(ticks).to_have_count(0)
    assert _address(page) == wanted


def _address(page: Page) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.url).query))


def test_everything_that_matches_says_its_count_and_what_was_skipped(
    app: Flask, made: dict[str, str], editor: User, open_as: Callable[..., Page]
) -> None:
    with app.app_context():
        for _ in range(60):
            ask(editor, "import", model_name="brands")
    page = open_as("admin")
    page.goto("/monitor/jobs/")
    expect(page.locator("input.tick")).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    expect(page.locator("input.tick")).to_have_count(18)
    page.get_by_role("link", name="Newest").click()
    expect(page.locator("input.tick")).to_have_count(50)
    page.locator("#tick-everything").check()
    expect(page.locator(".bulk-count")).to_have_text("68 jobs, all of them")
    page.locator("#bulk-cancellation").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("Cancel 68 jobs?")
    dialog.get_by_role("button", name="Cancel jobs").click()
    expect(page.locator(".notice")).to_contain_text("65 jobs are cancelled. 3 were skipped")
    expect(page.locator("#tab-cancelled .count")).to_have_text("64")


def test_keys_walk_through_the_list(made: dict[str, str], open_as: Callable[..., Page]) -> None:
    page = open_as("admin")
    page.goto("/monitor/jobs/")
    focused = "document.activeElement.id"
    rows = page.locator("#monitor-jobs .row-link")
    ids = [str(rows.nth(place).get_attribute("id")) for place in (0, 1)]
    page.keyboard.press("j")
    assert page.evaluate(focused) == ids[0]
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(".bulk-count")).to_have_text("1 ticked")
    page.keyboard.press("k")
    assert page.evaluate(focused) == ids[0]
    page.keyboard.press("/")
    page.keyboard.type("jkx?")
    expect(page.locator("#monitor-filters [name=q]")).to_have_value("jkx?")
    page.goto("/monitor/jobs/")
    page.keyboard.press("?")
    dialog = page.locator("#keys")
    expect(dialog).to_be_visible()
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    page.reload()
    page.keyboard.press("j")
    assert page.evaluate(focused) == ""
    page.locator("#keys-button").click()
    page.locator("#keys-on").check()
    dialog.get_by_role("button", name="Close").click()
    page.locator("body").click(position={"x": 1, "y": 1})
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(ids[0].removeprefix("job-")))


def test_times_can_be_shown_in_the_browsers_own_zone(
    made: dict[str, str], open_as: Callable[..., Page]
) -> None:
    page = open_as("admin", timezone_id="America/Recife")
    page.goto("/monitor/schedules/")
    in_utc = page.locator(".list-count").inner_text()
    page.locator("#zone").select_option("America/Recife")
    expect(page.locator(".list-count")).not_to_have_text(in_utc)
    page.goto("/monitor/")
    expect(page.locator("#zone")).to_have_value("America/Recife")


def test_ids_parameters_and_tracebacks_are_copied(made: dict[str, str], open_as: Callable[..., Page]) -> None:
    page = open_as("admin", permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"/monitor/jobs/{made['failed']}")
    for label, expected in (
        ("Copy the id", made["failed"]),
        ("Copy the parameters", '"serial_number"'),
        ("Copy the traceback", "No space left on device"),
    ):
        page.get_by_role("button", name=label).first.click()
        expect(page.locator("#say-status")).to_have_text("Copied")
        assert expected in page.evaluate("navigator.clipboard.readText()")


def test_a_lost_connection_is_said_and_so_is_its_return(
    stack: Stack, made: dict[str, str], browser: Browser
) -> None:
    with open_window(browser, base_url=stack.url) as visitor:  # whose console may complain of the lost server
        page = visitor.page
        sign_in(page, stack.url, "admin")
        page.goto("/monitor/jobs/")
        expect(page.locator("#monitor-jobs")).to_be_visible()
        page.wait_for_timeout(500)
        visitor.context.set_offline(True)
        expect(page.locator("#connection")).to_have_text("Offline")
        visitor.context.set_offline(False)
        expect(page.locator("#connection")).to_be_hidden()


def test_the_log_of_a_job_is_filtered_where_it_stands_and_stays_live(
    app: Flask, made: dict[str, str], open_as: Callable[..., Page]
) -> None:
    with app.app_context():
        job_id = _id_of(made["processing"])
        for message in ("batch 1", "careful", "batch 2"):
            log_line(message, job_id)
    page = open_as("admin")
    page.goto(f"/monitor/jobs/{made['processing']}")
    lines = page.locator(".log-line")
    expect(lines).to_have_count(3)
    page.locator(".log-filter [name=q]").fill("batch")
    expect(lines).to_have_count(2)
    with app.app_context():
        log_line("nothing of it", job_id)
    _log(app, "batch of nobody")
    with app.app_context():
        log_line("batch 3", job_id)
    _log(app, "once more")
    expect(lines.last).to_contain_text("batch 3")
    expect(lines).to_have_count(3)


def test_a_filter_is_in_the_address(made: dict[str, str], open_as: Callable[..., Page]) -> None:
    page = open_as("admin")
    page.goto("/monitor/jobs/?state=failed")
    page.fill("#monitor-filters [name=q]", "disk is full")
    page.wait_for_url(re.compile(r"q=disk(\+|%20)is"))
    assert "state=failed" in page.url
    expect(page.locator("input.tick")).to_have_count(1)
    page.locator("#tab-completed").click()
    page.wait_for_url(re.compile("state=completed"))
    expect(page.locator("input.tick")).to_have_count(0)


def test_a_job_moves_by_itself(app: Flask, made: dict[str, str], open_as: Callable[..., Page]) -> None:
    page = open_as("admin")
    page.goto(f"/monitor/jobs/{made['processing']}")
    expect(page.locator("[data-processed]")).to_have_text("300")
    with app.app_context():
        job_id = _id_of(made["processing"])
        change(job_id, processed=700, created=650)
        with write_transaction() as session:
            live.publish_job(session, look_at(job_id), live.JOB_PROGRESS)
    expect(page.locator("[data-processed]")).to_have_text("700")


def _id_of(task_id: str) -> int:
    found = find_job_id(task_id)
    assert found is not None
    return found


def test_the_tail_follows_its_end_and_leaves_a_reader_alone(
    app: Flask, made: dict[str, str], open_as: Callable[..., Page]
) -> None:
    page = open_as("admin")
    page.goto("/monitor/logs/")
    lines = page.locator(".log-lines")
    expect(page.locator(".log-line")).to_have_count(80)
    at_end = "list => list.scrollHeight - list.scrollTop - list.clientHeight < 30"
    _log(app, "fresh one")
    expect(page.locator(".log-line").last).to_contain_text("fresh one")
    assert lines.evaluate(at_end)

    lines.evaluate("list => { list.scrollTop = 0; }")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.log-line .log-message'))")
    _log(app, "unseen one")
    expect(page.locator(".log-more")).to_have_text("1 new lines")
    assert lines.evaluate("list => list.scrollTop") == 0
    assert page.evaluate("getSelection().toString()") == "line 0"
    page.locator(".log-more").click()
    assert lines.evaluate(at_end)

    page.get_by_role("button", name="Pause").click()
    _log(app, "late one")
    page.wait_for_timeout(1500)
    expect(page.locator(".log-line").last).to_contain_text("unseen one")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".log-line").last).to_contain_text("late one")


def _log(app: Flask, message: str) -> None:
    with app.app_context():
        log_line(message)
        with write_transaction() as session:
            live.publish(session, live.role_audience("admin"), live.LOGS_ADDED, {})


def test_the_lines_of_a_job_stop_with_it(
    app: Flask, made: dict[str, str], open_as: Callable[..., Page]
) -> None:
    page = open_as("admin")
    page.goto(f"/monitor/jobs/{made['processing']}")
    expect(page.locator(".log-state")).to_contain_text("Live")
    with app.app_context():
        job_id = _id_of(made["processing"])
        log_line("the last words", job_id)
        change(job_id, status="completed", lease_until=None)
        with write_transaction() as session:
            live.publish_job(session, look_at(job_id), live.JOB_COMPLETED)
    expect(page.locator(".log-line").last).to_contain_text("the last words")
    expect(page.locator(".log-state")).to_contain_text("The job has ended")


def test_it_works_without_javascript(made: dict[str, str], open_as: Callable[..., Page]) -> None:
    page = open_as("admin", java_script_enabled=False)
    page.goto("/monitor/jobs/?state=failed")
    page.locator("input.tick").check()
    page.locator("#bulk-deletion").click()
    expect(page.locator("h2")).to_have_text("Delete 1 job?")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".notice")).to_contain_text("1 job was deleted.")
    assert page.url.endswith("/monitor/jobs/?state=failed")
