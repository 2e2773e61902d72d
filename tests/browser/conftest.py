"""A real browser, which complains about everything that a page's console complains about."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.support.houses import PASSWORD, email_of
from tests.support.services import unavailable
from tests.support.stack import Stack

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser of this test process."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        unavailable("There is no Chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def open_as(browser: Browser, stack: Stack) -> Iterator[Callable[..., Page]]:
    """Sign one of the people in and return their page: ``open_as("admin", color_scheme="dark")``."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def open_page(person: str, **options: Any) -> Page:
        context = browser.new_context(base_url=stack.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/login")
        page.fill("[name=email]", email_of(person))
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_url(f"{stack.url}/")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
