"""A real browser: Debian's chromium, driven by Playwright; what its console says is part of the test."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.support.services import unavailable

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
PATIENCE_MS = 20_000
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# A form that comes back with what is wrong: meant so, and to the console a failure.
REFUSED_FORM = re.compile("Failed to load resource: .* status of (409|422) ")
# A poll that was on its way while the server closed its socket, because the session has ended: meant so, too.
CLOSED_SOCKET = re.compile(r"Failed to load resource: .* status of 400 .*/socket\.io/\?.*&sid=")

# Told to the test through a function that only the browser's own scripts see.
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  window.reportViolation(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))
"""


@contextmanager
def run_browser() -> Iterator[Browser]:
    """Start the browser of this test process."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        unavailable("No chromium is installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """One person's browser window, and what went wrong in it."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    is_signed_out: bool = False  # by somebody else, in the course of the test

    def listen(self) -> None:
        """Collect console errors, crashed scripts and violations of the content security policy."""
        self.context.expose_function("reportViolation", self._hear_violation)
        self.context.add_init_script(REPORT_VIOLATIONS)
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))

    def _hear_violation(self, text: str) -> None:
        self.complaints.append(f"policy: {text}")

    def _hear(self, message: ConsoleMessage) -> None:
        text = f"{message.text} ({message.location.get('url')})"
        is_meant = REFUSED_FORM.search(message.text) or (self.is_signed_out and CLOSED_SOCKET.search(text))
        if message.type == "error" and not is_meant:
            self.complaints.append(f"console: {text}")

    def mark(self) -> None:
        """Leave a mark in the page's window: a reload, or another page, loses it."""
        self.page.evaluate("window.markOfTheTest = true")

    def is_marked(self) -> bool:
        """Whether this is still the very same window."""
        return bool(self.page.evaluate("window.markOfTheTest === true"))


@contextmanager
def open_window(browser: Browser, *, is_signed_out: bool = False, **options: Any) -> Iterator[Visitor]:
    """Open a window with its own cookies; at its end nothing may have gone wrong in it."""
    context = browser.new_context(
        **({"viewport": DESKTOP, "locale": "en-US", "reduced_motion": "reduce"} | options)
    )
    context.set_default_timeout(PATIENCE_MS)
    visitor = Visitor(context, context.new_page(), is_signed_out=is_signed_out)
    if options.get("java_script_enabled", True):
        visitor.listen()
    try:
        yield visitor
    finally:
        context.close()


def keep_picture(page: Page, name: str) -> None:
    """Keep what the page looked like when its test failed."""
    ARTIFACTS.mkdir(exist_ok=True)
    safe = "".join(char if char.isalnum() else "-" for char in name)[:120]
    page.screenshot(path=ARTIFACTS / f"{safe}.png", full_page=True)
