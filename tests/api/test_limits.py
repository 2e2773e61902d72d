"""What nobody answers below /api is counted with all the rest."""

import pytest

from tests.support.api import Caller
from tests.support.databases import on_both_databases
from tests.support.houses import MakeApp


@on_both_databases
@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("GET", "/api/v9"), ("DELETE", "/jobs")])
def test_what_is_not_there_counts(make_app: MakeApp, method: str, path: str) -> None:
    caller = Caller(make_app(API_REQUESTS_PER_MINUTE="3"), "viewer")
    assert caller.ask(method, path).status_code in {404, 405}
    assert ";r=1;" in caller.get("/jobs").headers["RateLimit"]
    assert caller.ask(method, path).status_code in {404, 405}
    refused = caller.ask(method, path)
    assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert caller.get("/jobs").status_code == 429


def test_without_a_token_the_address_is_counted(make_app: MakeApp) -> None:
    client = make_app(API_REQUESTS_PER_MINUTE="2").test_client()
    assert [client.get("/api/nothing").status_code for _ in range(3)] == [401, 401, 429]
