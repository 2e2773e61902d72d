"""What a person does, step by step, in the words of the page."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.support.browser import PATIENCE_MS
from tests.support.houses import PASSWORD, email_of
from tests.support.processes import wait_until


def sign_in(page: Page, url: str, person: str = "editor") -> None:
    """Open the shop, and sign in where it asks for it."""
    page.goto(url)
    page.get_by_label("E-mail").fill(email_of(person))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    page.wait_for_load_state()  # a click before the scripts are there does what it does without them


def upload(page: Page, kind: str, file: Path) -> None:
    """Go to the upload form by the navigation and send a file."""
    page.get_by_role("navigation").get_by_role("link", name="Imports", exact=True).first.click()
    page.get_by_role("link", name="Import a file").first.click()
    page.get_by_label("What is in the file?").select_option(label=kind)
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload").click()


def check(page: Page) -> None:
    """Have the matched file checked, and wait for the report."""
    page.get_by_role("button", name=re.compile("^Check ")).click()
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()


def apply(page: Page, count: int) -> None:
    """Apply a checked file of so many new and changed rows."""
    page.get_by_role("button", name=re.compile(rf"^Import {count:,} rows?$")).click()


def wait_for_result(page: Page, words: str) -> None:
    """Wait until an import has ended, and said so."""
    expect(page.get_by_role("heading", name=words)).to_be_visible(timeout=PATIENCE_MS * 3)


def tallies(page: Page) -> list[int]:
    """The counts on the cards: created, updated, unchanged, with errors."""
    return [int(text.replace(",", "")) for text in page.locator(".tallies dd").all_inner_texts()]


def column_for(page: Page, field: str) -> Locator:
    """The choice of the file's column that becomes a field."""
    return page.get_by_role("combobox", name=re.compile(f"^{field}( required)?$"))


def open_list(page: Page, kind: str) -> Locator:
    """Open a list by the navigation and return its rows."""
    page.get_by_role("navigation").get_by_role("link", name=kind, exact=True).click()
    expect(page.get_by_role("heading", name=kind, level=1)).to_be_visible()
    return page.get_by_role("table").get_by_role("row")


def ask_for_csv(page: Page) -> None:
    """Ask for what the list shows."""
    page.get_by_role("main").get_by_text("Export", exact=True).click()
    page.get_by_role("button", name=re.compile("^CSV")).click()


def download(page: Page, link: Locator) -> bytes:
    """Follow a download link and return the file's bytes."""
    with page.expect_download() as started:
        link.click()
    return Path(started.value.path()).read_bytes()


def wait_until_true(page: Page, expression: str) -> None:
    """Wait until an expression holds. The page's own policy forbids it to evaluate one again and again."""
    wait_until(lambda: page.evaluate(f"Boolean({expression})"), lambda: f"never: {expression}")
