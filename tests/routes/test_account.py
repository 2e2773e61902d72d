"""One's own account: the password, the browsers, the tokens."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from tests.routes.test_users import NEW, words
from tests.support.houses import PASSWORD, email_of, load_person, sign_in
from tests.support.pages import post, soup
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import UserSession
from webapp.models.base import utc_now
from webapp.services import api_tokens, user_sessions

pytestmark = pytest.mark.slow  # together they take longer than a commit should

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"


def open_browser(app: Flask, person: str = "editor") -> FlaskClient:
    """Return a browser in which somebody is signed in."""
    made = app.test_client()
    sign_in(made, load_person(app, person))
    return made


def test_a_new_password_signs_out_everywhere_else(app: Flask) -> None:
    here, there = open_browser(app), open_browser(app)
    sent = {"current": PASSWORD, "new": NEW, "again": NEW}
    assert post(here, "/account/password", data=sent).status_code == 303
    assert "signed out everywhere else" in words(here.get("/account/"))
    assert there.get("/").status_code == 302
    right = {"email": email_of("editor"), "password": NEW}
    assert post(there, "/login", data=right).status_code == 303


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"current": "wrong"}, "current"),
        ({"new": "short", "again": "short"}, "new"),
        ({"again": "x"}, "again"),
    ],
)
def test_what_is_wrong_with_a_new_password_stands_beside_its_field(
    app: Flask, changed: dict[str, str], named: str
) -> None:
    here = open_browser(app)
    sent = {"current": PASSWORD, "new": NEW, "again": NEW} | changed
    answer = post(here, "/account/password", data=sent)
    assert answer.status_code == 422
    assert [item["id"] for item in soup(answer).select(".field-error")] == [f"{named}-error"]
    assert PASSWORD not in answer.text


def test_the_browsers_are_listed_by_what_they_say_of_themselves(app: Flask) -> None:
    here = app.test_client()
    right = {"email": email_of("editor"), "password": PASSWORD}
    post(here, "/login", data=right, headers={"User-Agent": FIREFOX})
    open_browser(app)
    rows = [row.get_text(" ", strip=True) for row in soup(here.get("/account/")).select(".access-row")]
    assert len(rows) == 2
    assert "Firefox on Windows This browser 127.0.0.1 · last seen just now" in rows[0]
    assert "This browser" not in rows[1]


def test_of_many_browsers_this_one_stands_first_and_the_oldest_are_folded(app: Flask) -> None:
    here, *_others = [open_browser(app) for _ in range(8)]
    page = soup(here.get("/account/"))
    assert "This browser" in page.select(".access-row")[0].get_text()
    folded = page.select_one("section[aria-labelledby=sessions-title] details")
    assert folded is not None
    assert folded.select_one("summary").get_text(strip=True) == "3 more"  # type: ignore[union-attr]  # it has one
    assert len(folded.select(".access-row")) == 3


def test_one_browser_is_signed_out_from_another(app: Flask) -> None:
    here, there = open_browser(app), open_browser(app)
    forms = soup(here.get("/account/")).select(".access-row form")
    post(here, str(forms[1]["action"]))
    assert (here.get("/").status_code, there.get("/").status_code) == (200, 302)


def test_signing_out_everywhere_means_here_too(app: Flask) -> None:
    here, there, another = open_browser(app), open_browser(app), open_browser(app, "stranger")
    post(here, "/account/sessions/deletion")
    assert [browser.get("/").status_code for browser in (here, there, another)] == [302, 302, 200]


def test_signing_out_ends_the_session_for_whoever_kept_its_cookie(app: Flask) -> None:
    here, copy = open_browser(app), app.test_client()
    with here.session_transaction() as session:
        key = session["_user_id"]
    with copy.session_transaction() as session:
        session["_user_id"] = key
    assert copy.get("/").status_code == 200
    post(here, "/logout")
    assert copy.get("/").status_code == 302


def test_a_token_is_shown_once(app: Flask) -> None:
    here = open_browser(app)
    answer = post(here, "/account/tokens/", data={"name": "Till", "scope": "write", "days": "30"})
    shown = soup(answer).select_one("#new-token")
    assert shown is not None
    key = str(shown["value"])
    page = here.get("/account/")
    assert key not in page.text
    assert "Till Reads and writes" in words(page, "#tokens")
    with app.app_context():
        token = api_tokens.authenticate_token(key)
        assert token is not None
        assert token.expires_at is not None
        assert token.expires_at - utc_now() <= timedelta(days=30)
    assert "last used just now" in words(here.get("/account/"), "#tokens")


def test_a_viewer_is_offered_a_token_for_reading_alone(app: Flask) -> None:
    here = open_browser(app, "viewer")
    offered = [str(item["value"]) for item in soup(here.get("/account/")).select("#token-scope option")]
    assert offered == ["read"]
    assert post(here, "/account/tokens/", data={"name": "Till", "scope": "write"}).status_code == 403


def test_a_token_needs_a_name(app: Flask) -> None:
    answer = post(open_browser(app), "/account/tokens/", data={"name": " ", "scope": "read"})
    assert (answer.status_code, words(answer, "#token-name-error")) == (
        422,
        "The token has no name. Name what will use it.",
    )


def test_a_visit_is_noted_and_no_page_fails_when_it_cannot_be(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = open_browser(app)

    def age() -> None:
        with app.app_context(), write_transaction() as session:
            session.execute(update(UserSession).values(last_seen_at=utc_now() - timedelta(hours=1)))

    age()
    assert here.get("/account/").status_code == 200
    with app.app_context():
        assert db.session.scalars(select(UserSession.last_seen_at)).one() > utc_now() - timedelta(minutes=1)
    age()

    def fail(*_: object) -> None:
        raise OperationalError("UPDATE", None, Exception("database is locked"))

    monkeypatch.setattr(user_sessions, "note_seen", fail)
    assert here.get("/account/").status_code == 200
