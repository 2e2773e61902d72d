"""What the specification says and what is answered, held against each other by schemathesis: whatever is sent, no
server error, no status, media type or body outside the specification."""

from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.api import ROOT, Caller, bearer
from tests.support.databases import on_both_databases
from tests.support.factories import save
from tests.support.houses import MakeApp, drain_queue

pytestmark = pytest.mark.slow

SEED = 20261124
EXAMPLES = 25
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@on_both_databases
def test_no_answer_is_outside_the_specification(make_app: MakeApp) -> None:
    app = make_app(API_REQUESTS_PER_MINUTE="1000000")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with app.app_context():
        save("brands", {"name": "Nord"}, {"name": "Süd"})
    caller = Caller(app, "admin")
    found = schemathesis.openapi.from_wsgi(f"{ROOT}/openapi.json", app, headers=bearer(caller.token))
    operations = [result.ok() for result in found.get_all_operations() if isinstance(result, Ok)]
    methods = [rule.methods or set() for rule in app.url_map.iter_rules() if is_described(rule.endpoint)]
    assert len(operations) == sum(len(names - {"HEAD", "OPTIONS"}) for names in methods)
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try_out(app, caller, operation, mode)


def is_described(endpoint: str) -> bool:
    """Whether schemathesis tries an endpoint: all of the API but the page and the specification itself."""
    return endpoint.startswith("api_") and endpoint not in {"api_docs.show", "api_specification.show"}


def try_out(
    app: Flask, caller: Caller, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode
) -> None:
    """Send what the specification allows, or what it does not, and check each answer."""
    real = make_ended_job(caller)
    count = 0

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        nonlocal count
        count += 1
        if count % 2 and "task_id" in (case.path_parameters or {}):
            case.path_parameters["task_id"] = real  # what nobody would guess
        case.call_and_validate(headers=bearer(caller.token), checks=CHECKS, excluded_checks=[ignored_auth])

    send()


def make_ended_job(caller: Caller) -> str:
    """Return the id of a job that has ended well."""
    asked = caller.post("/exports", json={"resource": "brands", "format": "csv"})
    drain_queue()
    return str(asked.get_json()["task_id"])
