"""Signing in and out, by the real form."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.houses import PASSWORD, email_of, load_person, sign_in
from tests.support.pages import post, soup, token_of

pytestmark = pytest.mark.slow  # together they take longer than a commit should

RIGHT = {"email": email_of("editor"), "password": PASSWORD}


def test_the_right_password_opens_the_house(client: FlaskClient) -> None:
    answer = post(client, "/login", data=RIGHT)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"email": "nobody@shop.example"}])
def test_a_wrong_password_and_an_unknown_address_look_alike(
    client: FlaskClient, wrong: dict[str, str]
) -> None:
    answer = post(client, "/login", data=RIGHT | wrong)
    alert = soup(answer).select_one("[role=alert]")
    assert alert is not None
    assert (answer.status_code, alert.get_text(strip=True)) == (
        422,
        "The e-mail address or the password is not right.",
    )
    assert client.get("/").status_code == 302


def test_an_empty_form_names_what_is_missing(client: FlaskClient) -> None:
    answer = post(client, "/login", data={})
    errors = [item.get_text() for item in soup(answer).select(".field-error")]
    assert (answer.status_code, errors) == (422, ["Enter your e-mail address.", "Enter your password."])


def test_guessing_is_slowed_down(client: FlaskClient) -> None:
    token = token_of(client)
    tries = [
        client.post("/login", data={**RIGHT, "email": "", "csrf_token": token}).status_code for _ in range(11)
    ]
    assert tries == [*[422] * 10, 429]


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/products/?q=tea", "/products/?q=tea"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/logout", "/"),
        ("/nowhere", "/"),
    ],
)
def test_one_gets_where_one_was_going_if_it_is_ours(client: FlaskClient, wanted: str, reached: str) -> None:
    answer = post(client, "/login", query_string={"next": wanted}, data=RIGHT)
    assert answer.headers["Location"] == reached


def test_a_page_that_needs_a_user_comes_back_after_the_sign_in(client: FlaskClient) -> None:
    asked = client.get("/products/?q=tea")
    assert post(client, asked.headers["Location"], data=RIGHT).headers["Location"] == "/products/?q=tea"


def test_signing_out_ends_the_session(app: Flask, client: FlaskClient) -> None:
    sign_in(client, load_person(app, "editor"))
    assert client.get("/").status_code == 200
    assert post(client, "/logout").status_code == 303
    assert client.get("/").status_code == 302


def test_signing_out_cannot_be_done_by_a_link(app: Flask, client: FlaskClient) -> None:
    sign_in(client, load_person(app, "editor"))
    assert client.get("/logout").status_code == 405
    assert client.get("/").status_code == 200


def test_the_session_is_a_new_one_after_the_sign_in(client: FlaskClient) -> None:
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    post(client, "/login", data=RIGHT)
    with client.session_transaction() as session:
        assert "planted" not in session


def test_the_cookie_is_for_the_server_alone(client: FlaskClient) -> None:
    cookie = post(client, "/login", data=RIGHT).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
