"""Imports under attack: killed workers, racing workers, racing imports; the result is that of a straight run."""

import pytest
from sqlalchemy import func, select

from tests.support.databases import POSTGRES
from tests.support.factories import quantity_of, save, stock_up
from tests.support.houses import drain_queue
from tests.support.import_trials import (
    PIECES,
    Killing,
    compare_imports,
    compare_undone,
    prepare,
    prepare_undo,
    start_disturbed,
)
from tests.support.imports import counts, start, upload
from tests.support.jobs import look_at, outcomes
from tests.support.trials import Trial, double_message, judge_tries
from webapp.extensions import db
from webapp.models import Inflow, Outflow, Product
from webapp.services import imports, stock

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ON_BOTH = pytest.mark.parametrize("database", ["sqlite", POSTGRES], indirect=True)
ON_POSTGRES = pytest.mark.parametrize("database", [POSTGRES], indirect=True)
MANY = pytest.mark.soak
RACERS = 20  # products for which two imports race
RACE_ROWS = 600


@pytest.mark.parametrize(("kills", "rows"), [(3, 400), pytest.param(20, 3000, marks=MANY)])
@ON_BOTH
def test_an_import_whose_workers_are_killed_ends_as_if_nothing_had_happened(
    trial: Trial, kills: int, rows: int, database: str
) -> None:
    disturbed, straight = prepare(trial, rows)
    job_id = start_disturbed(trial, disturbed)
    assert Killing(trial, kills).carry_out(job_id) >= kills
    assert outcomes(job_id).count("crash") >= kills
    assert compare_imports(disturbed, straight) == []


@pytest.mark.parametrize(("kills", "rows"), [(3, 400), pytest.param(20, 3000, marks=MANY)])
@ON_BOTH
def test_an_undo_whose_workers_are_killed_ends_as_if_nothing_had_happened(
    trial: Trial, kills: int, rows: int, database: str
) -> None:
    disturbed, straight = prepare_undo(trial, rows)
    drain_queue()
    job_id = imports.start_undo(trial.actor, disturbed.public_id).id
    assert Killing(trial, kills).carry_out(job_id) >= kills
    assert compare_undone(disturbed, straight) == []


@pytest.mark.parametrize(("kills", "rows"), [(3, 400), pytest.param(20, 3000, marks=MANY)])
@ON_BOTH
def test_an_import_that_takes_itself_back_leaves_nothing_however_often_it_is_killed(
    trial: Trial, kills: int, rows: int, database: str
) -> None:
    stock_up("A", quantity=rows)
    text = "reference,product,quantity\n" + "".join(f"S-{number},A,1\n" for number in range(rows))
    job_id = start(trial.actor, upload(trial.actor, "outflows", text), on_error="abort").id
    save("outflows", {"reference": "MINE", "product": "A", "quantity": 1}, source="form")
    assert Killing(trial, kills).carry_out(job_id) >= kills
    job = look_at(job_id)
    assert (job.status, job.failure_kind) == ("failed", "bad_input")
    assert (job.error_message or "").startswith(f"Line {rows + 1} could no longer be saved")
    assert (_count(Outflow), quantity_of("A"), stock.verify_stock()) == (1, rows - 1, [])


@ON_BOTH
def test_two_workers_that_race_for_one_import_do_it_once(trial: Trial, database: str) -> None:
    job_id = trial.ask_import()
    double_message(10)
    for _ in range(2):
        trial.start_worker(LEASE_SECONDS="30")
    trial.settle(job_id)
    assert trial.judge(job_id) == []
    assert judge_tries(job_id) == []


@ON_POSTGRES
def test_two_imports_that_race_for_the_same_products_do_not_stop_each_other(
    trial: Trial, database: str
) -> None:
    names = [f"P-{number:02}" for number in range(RACERS)]
    stock_up(*names, quantity=PIECES)
    out = "".join(f"S-{n},{names[n % RACERS]},3\n" for n in range(RACE_ROWS))
    back = "".join(f"R-{n},{names[-1 - n % RACERS]},2\n" for n in range(RACE_ROWS))
    ids = [
        start(trial.actor, upload(trial.actor, resource, "reference,product,quantity\n" + text)).id
        for resource, text in (("outflows", out), ("inflows", back))
    ]
    trial.start_worker(LEASE_SECONDS="30")
    for job_id in ids:
        assert (trial.settle(job_id), counts(look_at(job_id))) == ("completed", (RACE_ROWS, 0, 0, 0))
        assert judge_tries(job_id) == []  # a deadlock would have ended a try
    each = RACE_ROWS // RACERS
    assert {quantity_of(name) for name in names} == {PIECES - 3 * each + 2 * each}
    assert (stock.verify_stock(), _count(Outflow)) == ([], RACE_ROWS)


@ON_POSTGRES
def test_two_imports_that_race_to_create_the_same_products_create_each_once(
    trial: Trial, database: str
) -> None:
    save("categories", {"name": "Tools"})
    head = "serial_number,title,category,cost_price,sell_price,quantity\n"
    lines = [f"P-{number},Product,Tools,1,2,5\n" for number in range(RACE_ROWS)]
    ids = [
        start(trial.actor, upload(trial.actor, "products", head + "".join(part))).id
        for part in (lines, lines[::-1])
    ]
    trial.start_worker(LEASE_SECONDS="30")
    for job_id in ids:
        assert trial.settle(job_id) == "completed"
        assert judge_tries(job_id) == []
    found = [counts(look_at(job_id)) for job_id in ids]
    assert [sum(column) for column in zip(*found, strict=True)] == [RACE_ROWS, 0, RACE_ROWS, 0]
    assert (_count(Product), _count(Inflow), stock.verify_stock()) == (RACE_ROWS, RACE_ROWS, [])


def _count(model: type[Product | Outflow | Inflow]) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0
