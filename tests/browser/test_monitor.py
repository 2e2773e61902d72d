"""The monitor in a browser: it moves by itself, and what somebody reads, ticks or selects stays."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.support.jobs import ask, change, look_at
from tests.support.monitor import fill_monitor, log_line, start_consumer
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
