"""One browser for each test process, one window for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import sign_in
from tests.support.browser import PATIENCE_MS, Visitor, keep_picture, open_window, run_browser
from tests.support.outcome import FAILED
from tests.support.stack import Stack


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser."""
    expect.set_options(timeout=PATIENCE_MS)
    with run_browser() as started:
        yield started


@pytest.fixture
def window(request: pytest.FixtureRequest) -> dict[str, Any]:
    """How a window is opened: ``@pytest.mark.parametrize("window", [{...}], indirect=True)``."""
    return dict(getattr(request, "param", {}))


@pytest.fixture
def visitor(browser: Browser, window: dict[str, Any], request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """A window, in which nothing may go wrong: no console error, no violation of the policy."""
    with open_window(browser, **window) as opened:
        yield opened
        if request.node.stash.get(FAILED, False):
            keep_picture(opened.page, request.node.name)
        assert opened.complaints == []


@pytest.fixture
def open_as(browser: Browser, stack: Stack) -> Iterator[Callable[..., Page]]:
    """Sign one of the people in and return their page: ``open_as("admin", color_scheme="dark")``."""
    with ExitStack() as windows:
        visitors = []

        def open_page(person: str, **options: Any) -> Page:
            visitor = windows.enter_context(open_window(browser, base_url=stack.url, **options))
            visitors.append(visitor)
            sign_in(visitor.page, stack.url, person)
            return visitor.page

        yield open_page
        assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
