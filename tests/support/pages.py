"""Looking at pages without a browser."""

import re
from typing import Any

from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

HTMX = {"HX-Request": "true"}
CSRF = re.compile(r'name="csrf-token" content="([^"]+)"')


def soup(answer: TestResponse) -> BeautifulSoup:
    """Return what an answer holds, as a tree."""
    return BeautifulSoup(answer.text, "lxml")


def token_of(client: FlaskClient) -> str:
    """Return the token that every form of this session carries, read from a page as a browser has it."""
    meta = soup(client.get("/login", follow_redirects=True)).select_one("meta[name=csrf-token]")
    assert meta is not None
    return str(meta["content"])


def post(client: FlaskClient, url: str, **options: Any) -> TestResponse:
    """Send a form with its token."""
    data = {"csrf_token": token_of(client), **options.pop("data", {})}
    return client.post(url, data=data, **options)


def is_fragment(answer: TestResponse) -> bool:
    """Whether an answer is a part of a page: no document around it."""
    text = answer.text.lower()
    return "<html" not in text and "<body" not in text and "<head>" not in text


def filled(page: BeautifulSoup, form: str) -> dict[str, str]:
    """Return what a form would send as it stands, but for its token."""
    found = {}
    for control in page.select(f"{form} [name]:not([name=csrf_token])"):
        name, kind = str(control["name"]), control.get("type", "")
        if control.name == "button" or (kind in {"checkbox", "radio"} and not control.has_attr("checked")):
            continue
        if control.name == "select":
            chosen = control.select_one("option[selected]") or control.select_one("option")
            found[name] = str(chosen["value"]) if chosen else ""
        elif control.name == "textarea":
            found[name] = control.get_text().removeprefix("\n")
        else:
            found[name] = str(control.get("value", ""))
    return found
