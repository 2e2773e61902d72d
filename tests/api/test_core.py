from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import PreconditionFailed, PreconditionRequired

from tests.support.api import Caller, bearer, make_token
from tests.support.houses import MakeApp, load_person, sign_in
from webapp.database import write_transaction
from webapp.errors import Conflict, Forbidden, NotFound, Problem
from webapp.models import ApiToken
from webapp.models.base import utc_now

SPEC = "/api/v1/openapi.json"
PROBLEM = "application/problem+json"


def read_problem(answer: Any) -> dict[str, Any]:
    assert answer.mimetype == PROBLEM
    body: dict[str, Any] = answer.get_json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"/api/v1/docs#problem-{answer.status_code}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"]
    return body


def test_a_token_lets_in(app: Flask) -> None:
    answer = Caller(app, "viewer").get(SPEC)
    assert answer.status_code == 200
    found = answer.get_json()
    assert found["openapi"] == "3.1.0"
    assert found["security"] == [{"token": []}]


@pytest.mark.parametrize("header", [None, "Basic YTpi", "Bearer", "Bearer  "])
def test_without_a_token_the_answer_says_how_to_bring_one(client: FlaskClient, header: str | None) -> None:
    answer = client.get(SPEC, headers={"Authorization": header} if header else {})
    assert read_problem(answer)["status"] == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=Stockroom")
    assert "error=" not in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("change", [{"revoked_at": utc_now()}, {"expires_at": utc_now() - timedelta(days=1)}])
def test_a_token_that_was_revoked_or_is_over_does_not_work(app: Flask, change: dict[str, Any]) -> None:
    caller = Caller(app, "editor")
    with app.app_context(), write_transaction() as session:
        token = session.query(ApiToken).order_by(ApiToken.id.desc()).first()
        assert token is not None
        for name, value in change.items():
            setattr(token, name, value)
    answer = caller.get(SPEC)
    assert "unknown, expired or revoked" in read_problem(answer)["detail"]
    assert "error=invalid_token" in answer.headers["WWW-Authenticate"]


def test_a_browser_s_session_counts_for_nothing(app: Flask, client: FlaskClient) -> None:
    sign_in(client, load_person(app, "admin"))
    assert client.get("/api/v1/jobs").status_code == 401
    assert client.post("/api/v1/brands", json={"name": "Acme"}).status_code == 401
    assert client.get(SPEC).status_code == 200  # but for the description, which the page links to


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/jobs"])
def test_what_is_not_there_is_a_problem_to_those_who_may_ask(app: Flask, path: str) -> None:
    assert read_problem(Caller(app, "viewer").get(path))["status"] == 404
    assert read_problem(app.test_client().get(path))["status"] == 401


def test_a_method_that_an_address_does_not_know(app: Flask) -> None:
    answer = Caller(app, "viewer").ask("DELETE", SPEC)
    assert read_problem(answer)["status"] == 405
    assert "GET" in answer.headers["Allow"]


def test_a_body_without_a_length_is_refused(app: Flask) -> None:
    answer = Caller(app, "editor").post("/exports", headers={"Transfer-Encoding": "chunked"})
    assert read_problem(answer)["status"] == 411


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ZeroDivisionError("a secret"), 500),
        (OperationalError("SELECT a secret", None, ValueError("a secret")), 503),
        (DataError("SELECT a secret", None, ValueError("a secret")), 400),
        (OverflowError("a secret"), 400),
        (NotFound("a secret"), 404),
        (Forbidden("a secret"), 403),
        (Conflict("It runs."), 409),
        (Problem("It is %(colour)s.", colour="red"), 422),
        (PreconditionFailed(), 412),
        (PreconditionRequired(), 428),
    ],
)
def test_every_error_is_a_problem_that_tells_no_secret(app: Flask, error: Exception, status: int) -> None:
    def fail() -> str:
        raise error

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.view_functions["api_specification.show"] = fail
    answer = Caller(app, "viewer").get(SPEC)
    assert read_problem(answer)["status"] == status
    assert "secret" not in answer.text


def test_sentences_are_english_unless_the_caller_says_otherwise(make_app: MakeApp) -> None:
    app = make_app(APP_LANGUAGE="pt_BR")
    caller = Caller(app, "viewer")
    assert read_problem(caller.get("/nothing"))["title"] == "There is nothing here"
    answer = caller.get("/nothing", headers={"Accept-Language": "pt-BR"})
    assert read_problem(answer)["title"] == "Não há nada aqui"


def test_every_token_has_its_own_number_of_requests(make_app: MakeApp) -> None:
    app = make_app(API_REQUESTS_PER_MINUTE="2")
    caller, other = Caller(app, "viewer"), Caller(app, "viewer")
    first = caller.get(SPEC)
    assert first.headers["RateLimit-Policy"] == '"token";q=2;w=60'
    assert first.headers["RateLimit"].startswith('"token";r=1;t=')
    assert caller.get(SPEC).headers["RateLimit"].startswith('"token";r=0;t=')
    refused = caller.get(SPEC)
    assert read_problem(refused)["status"] == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert other.get(SPEC).status_code == 200


def test_the_headers_of_pages_say_nothing_of_limits(client: FlaskClient) -> None:
    assert "RateLimit" not in client.get("/login").headers


def test_whoever_is_disabled_has_no_token_that_works(app: Flask) -> None:
    token = make_token(app, "editor")
    with app.app_context(), write_transaction() as session:
        person = session.merge(load_person(app, "editor"))
        person.is_enabled = False
    assert app.test_client().get(SPEC, headers=bearer(token)).status_code == 401


def test_json_that_is_none_names_its_line(app: Flask) -> None:
    body = '{"resource": "brands",\n "format" "csv"}'
    answer = Caller(app, "viewer").post("/exports", data=body, content_type="application/json")
    problem = read_problem(answer)
    assert problem["status"] == 400
    assert problem["errors"][0]["line"] == 2
    assert "Expecting ':' delimiter: line 2" in problem["detail"]
