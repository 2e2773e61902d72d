"""What holds for every address of the house."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.api import ROOT, bearer, make_token
from tests.support.houses import MakeApp, load_person, sign_in
from webapp.security import PUBLIC_ENDPOINTS

UUID = "00000000-0000-4000-8000-000000000000"
VALUES = {
    "resource": "products",
    "record_id": "1",
    "task_id": UUID,
    "public_id": UUID,
    "reference": "COUNT-2026-01-01-00000000",
    "filename": "x.css",
    "name": "metrics",
    "action": "deletion",
    "saved_id": "1",
    "line": "2",
    "file_format": "csv",
    "user_id": "1",
    "session_id": "1",
    "token_id": "1",
    "page": "invitation",
    "token": "made-up",
}


def addresses(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Every (endpoint, method, address) that the application answers."""
    for rule in app.url_map.iter_rules():
        url = re.sub(r"<(?:[^>]*:)?(\w+)>", lambda place: VALUES[place[1]], str(rule.rule))
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            yield rule.endpoint, method, url


def test_everything_needs_a_user_unless_it_is_public(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False  # so that nothing else refuses first
    for endpoint, method, url in addresses(app):
        answer = app.test_client().open(url, method=method)
        is_refused = answer.status_code == 401 or answer.headers.get("Location", "").startswith("/login")
        assert is_refused != (endpoint in PUBLIC_ENDPOINTS), (method, url, answer.status_code)


def test_every_change_needs_the_token_of_its_session(app: Flask) -> None:
    client = app.test_client()
    sign_in(client, load_person(app, "admin"))
    for endpoint, method, url in addresses(app):
        if method == "GET":
            continue
        answer = client.open(url, method=method, data={"csrf_token": "made up"})
        expected = 401 if url.startswith(ROOT) else 400  # where no session counts, it needs no token
        assert answer.status_code == expected, (endpoint, url)


def test_what_belongs_to_others_is_not_there(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    client, token = app.test_client(), make_token(app, "admin")
    sign_in(client, load_person(app, "admin"))
    for _, method, url in addresses(app):
        if UUID in url:
            headers = bearer(token) if url.startswith(ROOT) else {}
            assert client.open(url, method=method, headers=headers).status_code == 404, (method, url)


@pytest.mark.parametrize("url", ["/", "/products/", "/nowhere", "/login"])
def test_every_answer_carries_its_headers(app: Flask, client: FlaskClient, url: str) -> None:
    if url != "/login":
        sign_in(client, load_person(app, "viewer"))
    headers = client.get(url).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in headers["Cache-Control"]
    assert {"HX-Request", "Cookie"} <= {item.strip() for item in headers["Vary"].split(",")}


def test_an_upload_that_names_no_length_is_refused(app: Flask, client: FlaskClient) -> None:
    sign_in(client, load_person(app, "editor"))
    answer = client.post("/imports/new", headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 411


def test_an_upload_above_the_limit_is_refused(make_app: MakeApp) -> None:
    app = make_app(MAX_UPLOAD_MB="1")
    client = app.test_client()
    sign_in(client, load_person(app, "editor"))
    answer = client.post("/imports/new", data={"file": (b"x" * (2 << 20)).decode()})
    assert answer.status_code == 413


def test_the_health_check_answers_strangers(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def fail() -> str:
    return str(1 / 0)


def test_an_error_page_has_a_number_and_no_traceback(app: Flask, client: FlaskClient) -> None:
    sign_in(client, load_person(app, "viewer"))

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.view_functions["dashboard.show"] = fail
    answer = client.get("/")
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.text
    assert "Something went wrong" in answer.text


def test_a_slow_answer_does_not_bring_an_old_session_back(client: FlaskClient) -> None:
    with client.session_transaction() as session:
        session.permanent = True
    for path in ("/static/css/page.css", "/healthz"):
        assert client.get(path).headers.getlist("Set-Cookie") == []
