"""The commands for users and their tokens."""

import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.support.houses import PASSWORD, email_of
from webapp.models import User
from webapp.services import accounts, api_tokens, user_links, user_sessions
from webapp.services.user_sessions import Place

pytestmark = pytest.mark.slow  # together they take longer than a commit should


def run(app: Flask, *arguments: str) -> tuple[int, str]:
    """Run a command and return its exit code and its answer, or its complaint when it gave none."""
    result = app.test_cli_runner().invoke(args=list(arguments))
    return result.exit_code, result.stdout or result.stderr


def test_a_user_is_invited_and_the_link_works(app: Flask, session: Session) -> None:
    code, output = run(app, "users", "invite", "--email", "new@shop.example", "--role", "viewer")
    found = re.search(r"http://127\.0\.0\.1:\d+/invitation/(\S+)", output)
    assert code == 0
    assert found is not None
    user_links.redeem_link(found[1], PASSWORD)
    session.expire_all()
    assert accounts.authenticate("new@shop.example", PASSWORD) is not None
    code, output = run(app, "users", "reset-password", "--email", email_of("editor"))
    assert (code, "/password-reset/" in output) == (0, True)


def test_a_user_is_disabled_enabled_signed_out_and_given_a_role(
    app: Flask, session: Session, editor: User
) -> None:
    email = email_of("editor")
    key = user_sessions.create_session(editor, Place())
    assert run(app, "users", "sign-out", "--email", email) == (0, f"{email} is signed out. Browsers: 1.\n")
    assert user_sessions.find_session(key) is None
    assert run(app, "users", "disable", "--email", email) == (0, f"{email} is disabled.\n")
    code, output = run(app, "users", "list")
    rows = {line.split()[0]: line.split()[1:3] for line in output.splitlines()[1:]}
    assert (code, rows[email], rows[email_of("admin")]) == (0, ["editor", "disabled"], ["admin", "active"])
    assert run(app, "users", "enable", "--email", email) == (0, f"{email} is enabled.\n")
    assert run(app, "users", "role", "--email", email, "--role", "admin") == (0, f"{email} is admin.\n")


def test_what_cannot_be_done_is_said_plainly(app: Flask, session: Session) -> None:
    code, output = run(app, "users", "disable", "--email", email_of("admin"))
    assert (code, "Nobody else could manage the shop then." in output) == (2, True)
    code, output = run(app, "users", "disable", "--email", "nobody@shop.example")
    assert (code, "There is no “nobody@shop.example”." in output) == (2, True)


def test_a_token_is_made_listed_and_revoked(app: Flask, session: Session) -> None:
    email = email_of("editor")
    code, output = run(app, "tokens", "create", "--email", email, "--name", "till", "--scope", "read")
    key = output.strip()
    assert code == 0
    assert api_tokens.authenticate_token(key) is not None
    code, output = run(app, "tokens", "list")
    number, *cells = output.splitlines()[1].split()
    assert cells[:4] == ["till", email, "read", "never"]
    assert run(app, "tokens", "revoke", number) == (0, f"till of {email} is revoked.\n")
    session.expire_all()
    assert api_tokens.authenticate_token(key) is None
    assert run(app, "tokens", "list") == (0, "No tokens.\n")
