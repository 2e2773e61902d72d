"""What tests of the API ask: a caller with a token, as a script has one."""

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.houses import load_person
from webapp.services import api_tokens

ROOT = "/api/v1"


def make_token(app: Flask, person: str, scope: str = "") -> str:
    """Return a new token of one of the people: for all that their role allows, unless a scope is given."""
    user = load_person(app, person)
    chosen = scope or ("write" if user.has_role("editor") else "read")
    with app.app_context():
        return api_tokens.create_token(user, "test", scope=chosen)[1]


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


class Caller:
    """A script of one person: every request below ``/api/v1`` carries their token."""

    def __init__(self, app: Flask, person: str, scope: str = "") -> None:
        self.client = app.test_client()
        self.token = make_token(app, person, scope)

    def ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> TestResponse:
        """Make one request."""
        path = path if path.startswith("/api/") else ROOT + path
        return self.client.open(path, method=method, headers=bearer(self.token) | (headers or {}), **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Get something."""
        return self.ask("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> TestResponse:
        """Ask for something to be made."""
        return self.ask("POST", path, **kwargs)


def ask_at_once(callers: list[Caller], ask: Callable[[Caller], TestResponse]) -> list[TestResponse]:
    """Have every caller ask in the same moment, and return the answers in no particular order."""
    gate, answers = threading.Barrier(len(callers)), list[TestResponse]()

    def wait_and_ask(caller: Caller) -> None:
        gate.wait()
        answers.append(ask(caller))

    threads = [threading.Thread(target=wait_and_ask, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == len(callers)
    return answers
