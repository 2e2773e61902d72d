"""The page of the API in the browser: it unfolds without a script of its own, light and dark, wide and narrow."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import DESKTOP, PHONE
from tests.support.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["wide", "narrow"])
def test_an_operation_unfolds_and_leads_to_its_shape(
    stack: Stack, open_as: Callable[..., Page], scheme: str, size: dict[str, int]
) -> None:
    stack.start_web()
    page = open_as("viewer", color_scheme=scheme, viewport=size)
    page.goto("/account/")
    page.get_by_role("link", name="What programs can do").click()
    expect(page.get_by_role("heading", name="API", level=1)).to_be_visible()
    operation = page.locator("#get-jobs-task_id")
    operation.locator("summary").click()
    expect(operation.get_by_text("Seconds after which it is answered")).to_be_visible()
    operation.get_by_role("link", name="Job", exact=True).click()
    expect(page.locator("#schema-Job")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    with page.expect_download() as download:
        page.get_by_role("link", name="OpenAPI 3.1").evaluate("link => link.download = 'openapi.json'")
        page.get_by_role("link", name="OpenAPI 3.1").click()
    assert '"openapi": "3.1.0"' in download.value.path().read_text()[:10_000].replace('":"', '": "')
