"""What nobody answers below /api is counted with all the rest."""

import pytest

from tests.support.api import Caller, bearer
from tests.support.databases import on_both_databases
from tests.support.houses import MakeApp


@on_both_databases
@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("GET", "/api/v9"), ("DELETE", "/jobs")])
def test_what_is_not_there_counts(make_app: MakeApp, method: str, path: str) -> None:
    caller = Caller(make_app(API_REQUESTS_PER_MINUTE="3"), "viewer")
    missed = caller.ask(method, path)
    assert missed.status_code in {404, 405}
    assert missed.headers["RateLimit-Policy"] == '"token";q=3;w=60'
    assert missed.headers["RateLimit"].startswith('"token";r=2;t=')
    assert ";r=1;" in caller.get("/jobs").headers["RateLimit"]
    assert caller.ask(method, path).status_code in {404, 405}
    refused = caller.ask(method, path)
    assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert caller.get("/jobs").status_code == 429


def test_who_tries_keys_is_counted_by_the_address(make_app: MakeApp) -> None:
    app = make_app(API_REQUESTS_PER_MINUTE="2")
    client = app.test_client()
    tried = [client.get("/api/v1/jobs", headers=bearer(f"sr_{number}")) for number in range(3)]
    assert [answer.status_code for answer in tried] == [401, 401, 429]
    assert 1 <= int(tried[-1].headers["Retry-After"]) <= 60
    assert Caller(app, "viewer").get("/jobs").status_code == 200  # whose token works is counted by it


def test_without_a_token_the_address_is_counted(make_app: MakeApp) -> None:
    client = make_app(API_REQUESTS_PER_MINUTE="2").test_client()
    assert [client.get("/api/nothing").status_code for _ in range(3)] == [401, 401, 429]
