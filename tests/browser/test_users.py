"""Users in the browser: invited in one window, at work in another, disabled, signed out everywhere."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_window
from tests.support.houses import email_of
from tests.support.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "a quite different staple"
GUEST = "new@shop.example"


def test_invited_at_work_and_disabled(stack: Stack, browser: Browser, open_as: Callable[..., Page]) -> None:
    stack.start_web()
    admin = open_as("admin")
    admin.get_by_role("navigation").get_by_role("link", name="Users").click()
    admin.get_by_role("link", name="Invite a user").click()
    admin.get_by_label("E-mail").fill(GUEST)
    admin.get_by_role("radio", name="Editor").check()
    admin.get_by_role("button", name="Make the invitation").click()
    link = admin.get_by_label("The link").input_value()
    admin.get_by_role("button", name="Copy").click()
    expect(admin.get_by_role("button", name="Copy")).to_have_class(re.compile("is-done"))
    with open_window(browser, is_signed_out=True, base_url=stack.url) as guest:
        page = guest.page
        page.goto(link)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("The password again").fill(PASSWORD)
        page.get_by_role("button", name="Set the password").click()
        expect(page.get_by_role("status").filter(has_text="Your password is set.")).to_be_visible()
        page.get_by_label("E-mail").fill(GUEST)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
        admin.get_by_role("link", name="s page").click()
        expect(admin.get_by_text("Chrome on Linux")).to_be_visible()
        admin.get_by_role("button", name="Disable").click()
        admin.get_by_role("dialog").get_by_role("button", name="Disable").click()
        expect(admin.get_by_role("heading", level=1)).to_contain_text("Disabled")
        # Its socket is closed and its page says so by itself; the next click is one to the sign-in.
        expect(page.locator("#signed-out")).to_be_visible()
        page.goto(f"{stack.url}/products/")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        guest.complaints.clear()  # the refused socket


def test_signing_out_everywhere_ends_the_other_window_too(stack: Stack, open_as: Callable[..., Page]) -> None:
    stack.start_web()
    here, there = open_as("editor", is_signed_out=True), open_as("editor", is_signed_out=True)
    here.get_by_label("Account").click()
    here.get_by_role("link", name="Your account").click()
    expect(here.locator(".access-row")).to_have_count(2)
    expect(here.get_by_text(email_of("editor")).last).to_be_visible()
    here.get_by_role("button", name="Sign out everywhere").click()
    expect(here.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(there.locator("#signed-out")).to_be_visible()
    there.get_by_role("navigation").get_by_role("link", name="Products").click()
    expect(there.get_by_role("heading", name="Sign in")).to_be_visible()
