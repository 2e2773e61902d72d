"""The dashboard as people keep it open all day: live, remembered, and handed out."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect

from tests.browser.steps import download, wait_until_true
from tests.support.factories import fill_shop
from tests.support.processes import on_this_machine
from tests.support.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEBOUNCE, ARRIVAL = 1, 2  # seconds
SOON_MS = 5_000  # long before the page looks by itself
PNG = b"\x89PNG\r\n\x1a\n"
MARK = "window.isSamePage = true"
IS_MARKED = "window.isSamePage === true"
LAST_UNITS = (
    "window.Chart?.getChart(document.querySelector('[data-name=sales]'))?.data.datasets[2].data.at(-1)"
)


@pytest.fixture
def shop(app: Flask) -> Flask:
    """A small shop."""
    with app.app_context():
        fill_shop()
    return app


def test_a_movement_made_in_one_window_changes_the_chart_in_another(
    shop: Flask, stack: Stack, open_as: Callable[..., Page]
) -> None:
    stack.environment["METRICS_DEBOUNCE_SECONDS"] = str(DEBOUNCE)
    stack.start_web()
    stack.start_worker()
    page, other = open_as("viewer"), open_as("editor")
    other.get_by_role("button", name="Refresh now").click()
    expect(page.locator("#sales-table tbody tr").last).to_contain_text("2")
    page.evaluate(MARK)
    other.goto(f"{stack.url}/outflows/new")
    other.get_by_role("combobox", name="Product").fill("=1+1")
    other.get_by_label("Quantity").fill("5")
    other.get_by_role("button", name="Save", exact=True).last.click()
    expect(other.get_by_text("is created.")).to_be_visible()
    saved = time.monotonic()
    wait_until_true(page, f"{LAST_UNITS} === 7")
    assert time.monotonic() - saved < DEBOUNCE + on_this_machine(ARRIVAL)
    expect(page.locator("#sales-table tbody tr td").last).to_have_text("7")
    expect(page.get_by_role("region", name="Latest movements")).to_contain_text("\N{MINUS SIGN}5")
    assert page.evaluate(IS_MARKED), "the page was reloaded"


def test_refresh_now_ends_with_new_figures(shop: Flask, stack: Stack, open_as: Callable[..., Page]) -> None:
    stack.start_web()
    page = open_as("editor")
    page.get_by_role("button", name="Refresh now").click()
    expect(page.get_by_text("Computing…")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Computing…")).to_be_visible()  # who comes back is told too
    stack.start_worker()
    expect(page.get_by_role("button", name="Refresh now")).to_be_visible(timeout=60_000)


def test_what_happened_before_a_first_page_could_listen_is_shown(
    shop: Flask, stack: Stack, open_as: Callable[..., Page]
) -> None:
    stack.start_web()
    page = open_as("editor")
    tab = page.context.new_page()
    held: list[Route] = []

    def hold(request: Route) -> None:
        held.append(request)

    tab.route("**/socket.io/**", hold)
    page.get_by_role("button", name="Refresh now").click()
    tab.goto(stack.url)
    expect(tab.get_by_text("Computing…")).to_be_visible()
    stack.start_worker()
    expect(page.get_by_role("button", name="Refresh now")).to_be_visible(timeout=60_000)
    for request in held:
        request.continue_()
    tab.unroute("**/socket.io/**")
    expect(tab.get_by_role("button", name="Refresh now")).to_be_visible(timeout=SOON_MS)


def test_days_and_open_tables_are_remembered(shop: Flask, stack: Stack, open_as: Callable[..., Page]) -> None:
    stack.start_web()
    page = open_as("viewer")
    expect(page.locator("#sales-table")).to_be_hidden()
    page.get_by_text("7 days").click()
    wait_until_true(
        page, "window.Chart?.getChart(document.querySelector('[data-name=sales]'))?.data.labels.length === 7"
    )
    page.locator("#brands-numbers summary").click()
    page.reload()
    expect(page.locator("#brands-table")).to_be_visible()
    wait_until_true(
        page, "window.Chart?.getChart(document.querySelector('[data-name=sales]'))?.data.labels.length === 7"
    )


def test_a_chart_is_handed_out_as_a_picture_and_as_numbers(
    shop: Flask, stack: Stack, open_as: Callable[..., Page]
) -> None:
    stack.start_web()
    page = open_as("viewer")
    card = page.get_by_role("region", name="Stock by category")
    wait_until_true(page, "window.Chart?.getChart(document.querySelector('[data-name=categories]'))")
    with page.expect_download() as started:
        card.get_by_role("button", name="PNG").click()
    assert Path(started.value.path()).read_bytes().startswith(PNG)
    assert re.fullmatch(r"categories-\d{4}-\d\d-\d\d\.png", started.value.suggested_filename)
    assert b"Tools" in download(page, card.get_by_role("link", name="CSV"))


def test_a_bar_leads_to_the_products_behind_it(
    shop: Flask, stack: Stack, open_as: Callable[..., Page]
) -> None:
    stack.start_web()
    page = open_as("viewer")
    wait_until_true(page, "window.Chart?.getChart(document.querySelector('[data-name=categories]'))")
    bar = page.evaluate(
        "(() => { const { x, y } = Chart.getChart(document.querySelector('[data-name=categories]')).getDatasetMeta(0).data[0]; return [x, y]; })()"
    )
    page.locator("[data-name=categories]").click(position={"x": bar[0] - 2, "y": bar[1]})
    expect(page).to_have_url(re.compile(r"/products/\?category=T"))


def test_without_a_script_the_numbers_stand_open(
    shop: Flask, stack: Stack, open_as: Callable[..., Page]
) -> None:
    stack.start_web()
    page = open_as("viewer", java_script_enabled=False)
    for name in ("sales", "categories", "brands"):
        expect(page.locator(f"#{name}-table")).to_be_visible()


def test_figures_that_nobody_refreshes_show_their_age(
    shop: Flask, stack: Stack, open_as: Callable[..., Page]
) -> None:
    stack.start_web()
    page = open_as("viewer")
    expect(page.get_by_text("Old figures")).to_have_count(0)
    page.evaluate("document.body.dispatchEvent(new Event('figures-are-old'))")
    expect(page.get_by_text("Old figures")).to_have_count(0)  # they are not: the server decides
    assert page.locator("#dashboard[data-old-at]").count() == 1
