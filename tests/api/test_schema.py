"""What the specification says and what is answered, held against each other by schemathesis: whatever is sent, no
server error, no status, media type or body outside the specification."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
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
from tests.support.factories import fill_shop
from tests.support.houses import MakeApp, drain_queue
from tests.support.records import ANY_VERSION
from webapp.api import BLUEPRINTS
from webapp.resources.registry import RESOURCES

pytestmark = pytest.mark.slow

SEED = 20261124
# Tries of each operation with what is allowed, and as many with what is not; the kinds of records share their code.
EXAMPLES, EXAMPLES_OF_A_KIND = 20, 8
PARTS = [part.tag for part in BLUEPRINTS if part.tag != "specification"]
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize("part", PARTS)
@on_both_databases
def test_no_answer_is_outside_the_specification(make_app: MakeApp, part: str) -> None:
    app = make_app(API_REQUESTS_PER_MINUTE="1000000")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with app.app_context():
        fill_shop()
    caller = Caller(app, "admin")
    found = schemathesis.openapi.from_wsgi(f"{ROOT}/openapi.json", app, headers=bearer(caller.token))
    described = [result.ok() for result in found.get_all_operations() if isinstance(result, Ok)]
    operations = [operation for operation in described if operation.tags == [part]]
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(f"api_{part}.")]
    assert len(operations) == sum(len((rule.methods or set()) - {"HEAD", "OPTIONS"}) for rule in rules)
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try_out(caller, operation, mode, EXAMPLES_OF_A_KIND if part in RESOURCES else EXAMPLES)


def try_out(
    caller: Caller, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, examples: int
) -> None:
    """Send what the specification allows, or what it does not, and check each answer."""
    real = {name: find(caller) for name, find in REAL.items() if f"{{{name}}}" in operation.path}
    count = 0

    @seed(SEED)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        nonlocal count
        count += 1
        if count % 2 and real:
            case.path_parameters |= real  # what nobody would guess
        headers = bearer(caller.token) | (ANY_VERSION if count % 3 == 0 else {})
        case.call_and_validate(headers=headers, checks=CHECKS, excluded_checks=[ignored_auth])

    send()


def make_ended_job(caller: Caller) -> str:
    """Return the id of a job that has ended well."""
    asked = caller.post("/exports", json={"resource": "brands", "format": "csv"})
    drain_queue()
    return str(asked.get_json()["task_id"])


# What stands in addresses, by its name: records are counted from 1.
REAL: dict[str, Callable[[Caller], Any]] = {"task_id": make_ended_job, "record_id": lambda _: 1}
