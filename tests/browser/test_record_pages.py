"""The page of a product and the audit, in a real browser under the policy."""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.steps import wait_until_true
from tests.support.factories import save, stock_up
from tests.support.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAST_STOCK = (
    "window.Chart?.getChart(document.querySelector('[data-name=stock]'))?.data.datasets[0].data.at(-1)"
)


def test_a_product_is_read_from_its_chart_to_its_first_movement(
    app: Flask, stack: Stack, open_as: Callable[..., Page]
) -> None:
    with app.app_context():
        stock_up("A", quantity=50)
        save("outflows", *({"reference": f"S-{n}", "product": "A", "quantity": 1} for n in range(30)))
    stack.start_web()
    page = open_as("viewer")
    page.goto(f"{stack.url}/products/1")
    wait_until_true(page, f"{LAST_STOCK} === 20")
    expect(page.locator("#stock-table")).to_be_hidden()
    page.get_by_text("Numbers").click()
    expect(page.locator("#stock-table tbody tr").last).to_contain_text("20")
    page.get_by_role("link", name="Older").click()
    expect(page.locator("#movements tbody tr").last).to_contain_text("Opening stock")
    expect(page.locator("#stock-table")).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="History of Product A")).to_be_visible()


def test_the_audit_is_narrowed_while_it_is_read(
    app: Flask, stack: Stack, open_as: Callable[..., Page]
) -> None:
    with app.app_context():
        save("brands", {"name": "Acme"})
        save("suppliers", {"name": "Northern"})
    stack.start_web()
    page = open_as("admin")
    page.goto(f"{stack.url}/audit/")
    rows = page.locator("#audit tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_label("Records").select_option("brands")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Acme")
    expect(page).to_have_url(f"{stack.url}/audit/?resource=brands")
    page.get_by_role("button", name="Export as CSV").click()
    expect(page.get_by_text("Preparing the export", exact=True)).to_be_visible()
