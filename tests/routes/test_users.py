"""The pages of users: invite, hand over, set a password, disable, sign out; no script needed."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.houses import PASSWORD, email_of, load_person, sign_in
from tests.support.pages import HTMX, is_fragment, post, soup
from webapp.models import User
from webapp.services import api_tokens

pytestmark = pytest.mark.slow  # together they take longer than a commit should

NEW = "a quite different staple"


@pytest.fixture
def browser(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser of the administrator's."""
    sign_in(client, load_person(app, "admin"))
    return client


def words(answer: TestResponse, selector: str = "main") -> str:
    """Return the text of a part of a page."""
    found = soup(answer).select_one(selector)
    assert found is not None, selector
    return found.get_text(" ", strip=True)


def link_on(answer: TestResponse) -> str:
    """Return the path of the link that a page shows once."""
    shown = soup(answer).select_one("#one-time-link")
    assert shown is not None
    return str(shown["value"]).removeprefix("http://localhost")


def test_who_is_invited_chooses_a_password_and_signs_in(app: Flask, browser: FlaskClient) -> None:
    answer = post(browser, "/users/", data={"email": "new@shop.example", "role": "editor"})
    link = link_on(answer)
    assert link.startswith("/invitation/")
    guest = app.test_client()
    form = soup(guest.get(link))
    assert [field["name"] for field in form.select("input[name][required]")] == ["password", "again"]
    done = post(guest, link, data={"password": NEW, "again": NEW})
    assert (done.status_code, done.headers["Location"]) == (303, "/login")
    assert "Your password is set." in words(guest.get("/login"))
    post(guest, "/login", data={"email": "new@shop.example", "password": NEW})
    assert words(guest.get("/account/"), ".record-side dl").endswith("Editor")
    again = guest.get(link)
    assert (again.status_code, "This link does not work" in again.text) == (404, True)


def test_a_link_that_does_not_work_never_says_why(app: Flask, browser: FlaskClient) -> None:
    stale = link_on(post(browser, "/users/2/links"))
    link_on(post(browser, "/users/2/links"))
    guest = app.test_client()
    pages = [guest.get(url) for url in (stale, "/password-reset/made-up", "/invitation/" + "x" * 300)]
    assert {answer.status_code for answer in pages} == {404}
    assert len({words(answer) for answer in pages}) == 1
    assert post(guest, stale, data={"password": NEW, "again": NEW}).status_code == 404


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"password": NEW, "again": NEW + "x"}, "The two are not the same."),
        ({"password": "short", "again": "short"}, "too short or too common"),
        ({}, "too short or too common"),
    ],
)
def test_a_password_that_is_not_taken_leaves_the_link_as_it_is(
    app: Flask, browser: FlaskClient, sent: dict[str, str], said: str
) -> None:
    link = link_on(post(browser, "/users/2/links"))
    guest = app.test_client()
    answer = post(guest, link, data=sent)
    assert (answer.status_code, said in words(answer, ".field-error")) == (422, True)
    assert guest.get(link).status_code == 200


def test_who_uses_a_link_in_anothers_browser_does_not_stay_that_other(
    app: Flask, browser: FlaskClient
) -> None:
    link = link_on(post(browser, "/users/2/links"))
    post(browser, link, data={"password": NEW, "again": NEW})
    assert browser.get("/users/").headers["Location"].startswith("/login")


def test_what_is_wrong_with_an_invitation_stands_beside_its_field(browser: FlaskClient) -> None:
    for email, said in (("nobody", "not an e-mail address"), (email_of("editor"), "already a user")):
        answer = post(browser, "/users/", data={"email": email, "role": "viewer"})
        assert answer.status_code == 422
        assert said in words(answer, "#email-error")
        assert soup(answer).select_one("#email")["value"] == email  # type: ignore[index]


def test_the_list_shows_who_is_who_and_finds_them(browser: FlaskClient) -> None:
    rows = [row.get_text(" ", strip=True) for row in soup(browser.get("/users/")).select("tbody tr")]
    assert len(rows) == 4
    assert rows[0].startswith("admin@shop.example you Administrator Active")
    found = browser.get("/users/?q=VIEW", headers=HTMX)
    assert is_fragment(found)
    assert [cell.get_text(strip=True) for cell in soup(found).select("td.is-main")] == [email_of("viewer")]
    assert "address holds “zzz”" in words(browser.get("/users/?q=zzz"))


def test_disabling_asks_first_and_ends_the_users_next_click(app: Flask, browser: FlaskClient) -> None:
    editor, other = load_person(app, "editor"), app.test_client()
    sign_in(other, editor)
    url = f"/users/{editor.id}/switch"
    assert "Disable editor@shop.example?" in words(post(browser, url, data={"state": "off"}))
    assert other.get("/products/").status_code == 200
    post(browser, url, data={"confirmed": "yes"})
    assert other.get("/products/").headers["Location"].startswith("/login")
    assert "Disabled" in words(browser.get(f"/users/{editor.id}"), "h1")
    assert post(other, "/login", data={"email": editor.email, "password": PASSWORD}).status_code == 422
    refused = post(browser, f"/users/{editor.id}/links")
    assert (refused.status_code, "Enable them first." in refused.text) == (409, True)
    post(browser, url, data={"state": "on"})
    assert "can sign in again" in words(browser.get(f"/users/{editor.id}"))


def test_another_role_counts_at_the_next_click(app: Flask, browser: FlaskClient) -> None:
    viewer, other = load_person(app, "viewer"), app.test_client()
    sign_in(other, viewer)
    assert other.get("/imports/new").status_code == 403
    post(browser, f"/users/{viewer.id}/role", data={"role": "editor"})
    assert other.get("/imports/new").status_code == 200


def test_the_last_administrator_is_told_why_they_stay(app: Flask, browser: FlaskClient, admin: User) -> None:
    for path, data in (("role", {"role": "viewer"}), ("switch", {"confirmed": "yes"})):
        post(browser, f"/users/{admin.id}/{path}", data=data)
        assert "Nobody else could manage the shop then." in words(browser.get(f"/users/{admin.id}"))
    assert browser.get("/users/").status_code == 200


def test_an_administrator_signs_a_user_out(app: Flask, browser: FlaskClient) -> None:
    editor = load_person(app, "editor")
    others = [app.test_client() for _ in range(3)]
    for other in others:
        sign_in(other, editor)
    page = soup(browser.get(f"/users/{editor.id}"))
    forms = [str(form["action"]) for form in page.select(".access-row form")]
    assert len(forms) == 3
    post(browser, forms[0])
    assert [other.get("/").status_code for other in others] == [200, 200, 302]  # the newest stands first
    post(browser, f"/users/{editor.id}/sessions/deletion")
    assert [other.get("/").status_code for other in others] == [302, 302, 302]
    assert "Not signed in anywhere." in words(browser.get(f"/users/{editor.id}"))


def test_an_administrator_sees_and_revokes_everybodys_tokens(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        editor = load_person(app, "editor")
        _token, key = api_tokens.create_token(editor, "The till")
    row = words(browser.get("/users/tokens/"), "tbody tr")
    assert "The till editor@shop.example Reads and writes never never" in row
    form = soup(browser.get(f"/users/{editor.id}")).select_one(".access-row form")
    assert form is not None
    url = str(form["action"])
    assert "Revoke “The till”?" in words(post(browser, url))
    answer = post(browser, url, data={"confirmed": "yes"})
    assert answer.headers["Location"] == f"/users/{editor.id}"
    with app.app_context():
        assert api_tokens.authenticate_token(key) is None
    assert "No API tokens" in words(browser.get("/users/tokens/"))
