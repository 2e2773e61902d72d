"""“Only if all rows are good”: a row that fails after all takes back what went before it."""

from typing import Any

import pytest
from flask_babel import force_locale
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import heard_signals, quantity_of, save, stock_up
from tests.support.imports import apply, check, counts, reload_import, start, upload
from tests.support.jobs import carry_out, claim, die_after, look_at, lose_worker
from webapp.extensions import db
from webapp.filters import failure
from webapp.models import DataImport, ImportJob, ImportKept, Outflow, TaskNotification, User
from webapp.services import import_apply, import_errors, imports, jobs, stock

pytestmark = [on_both_databases, pytest.mark.slow]

ROWS = 700


def sales(rows: int) -> str:
    return "reference,product,quantity\n" + "".join(f"S-{number},A,1\n" for number in range(rows))


def start_one_that_will_fail(actor: User) -> tuple[DataImport, int]:
    """Check a file that is good, then sell a piece that its last row needs."""
    stock_up("A", quantity=ROWS)
    found = upload(actor, "outflows", sales(ROWS))
    job = start(actor, found, on_error="abort")
    save("outflows", {"reference": "MINE", "product": "A", "quantity": 1}, source="form")
    return reload_import(found), job.id


def outflows() -> Any:
    return db.session.scalar(select(func.count()).select_from(Outflow))


def assert_taken_back(found: DataImport, job: TaskNotification) -> None:
    """Nothing of the import is left but the sentence about its line."""
    assert (job.status, job.failure_kind) == ("failed", "bad_input")
    assert (job.error_message or "").startswith(f"Line {ROWS + 1} could no longer be saved: Only 0 of A")
    assert "The rows before it were taken back." in (job.error_message or "")
    with force_locale("pt_BR"):
        assert failure(job).startswith(f"A linha {ROWS + 1} não pôde mais ser salva: Restam apenas 0 de A")
    assert (outflows(), quantity_of("A"), stock.verify_stock()) == (1, ROWS - 1, [])
    assert counts(job) == (0, 0, 0, 1)
    again = reload_import(found)
    assert (again.state, again.undone_to) == ("inspected", None)
    assert [item.line for item in import_errors.list_row_errors(again)] == [ROWS + 1]
    assert db.session.scalars(select(ImportJob)).all() == []


def test_all_good_rows_are_saved(session: Session, editor: User) -> None:
    stock_up("A", quantity=5)
    found = upload(editor, "outflows", sales(5))
    job = apply(editor, found, on_error="abort")
    assert (job.status, counts(job), quantity_of("A")) == ("completed", (5, 0, 0, 0), 0)


def test_a_row_that_fails_after_all_takes_the_others_back_and_is_named(
    session: Session, editor: User
) -> None:
    found, job_id = start_one_that_will_fail(editor)
    with heard_signals() as heard:
        carry_out(job_id, import_apply.run_import)
    assert_taken_back(found, look_at(job_id))
    moved = [carried["delta"] for name, _, carried in heard if name == "stock_moved"]
    assert (len(moved) > 100, sum(moved)) == (True, 0)


def test_killed_on_the_way_back_it_goes_on_from_there(session: Session, editor: User) -> None:
    found, job_id = start_one_that_will_fail(editor)
    batches = 1
    while look_at(job_id).status != "failed":
        assert batches < 20, "it never ends"
        run = claim(job_id)
        try:
            die_after(run, batches, import_apply.run_import)
        except Exception:  # noqa: BLE001 - it came to its end, as a worker would have seen
            db.session.rollback()
        assert stock.verify_stock() == []
        lose_worker(job_id)
        if "take_back" in (look_at(job_id).checkpoint or {}):
            carry_out(job_id, import_apply.run_import)
        batches += 1
    assert_taken_back(found, look_at(job_id))


def test_afterwards_the_file_can_be_checked_and_applied_again(session: Session, editor: User) -> None:
    found, job_id = start_one_that_will_fail(editor)
    carry_out(job_id, import_apply.run_import)
    save("inflows", {"reference": "P-1", "product": "A", "quantity": 1})
    job = apply(editor, reload_import(found), on_error="abort")
    assert (job.status, counts(job), quantity_of("A")) == ("completed", (ROWS, 0, 0, 0), 0)


def test_the_failed_job_cannot_be_tried_again_behind_the_pages_back(session: Session, editor: User) -> None:
    found, job_id = start_one_that_will_fail(editor)
    carry_out(job_id, import_apply.run_import)
    jobs.retry_job(editor, look_at(job_id).task_id)
    carry_out(job_id, import_apply.run_import)
    assert_taken_back(found, look_at(job_id))


def test_what_others_have_used_meanwhile_stays_and_is_counted(session: Session, editor: User) -> None:
    save("categories", {"name": "Tools"})
    text = "name,description\n" + "".join(f"Brand {number},x\n" for number in range(ROWS))
    found = upload(editor, "brands", text)
    job = start(editor, found, on_error="abort", mode="create")
    die_after(claim(job.id), 1, import_apply.run_import)
    save("brands", {"name": "Brand 0", "description": "mine"}, source="form")
    save("brands", {"name": f"Brand {ROWS - 1}"}, source="form")
    lose_worker(job.id)
    carry_out(job.id, import_apply.run_import)
    ended = look_at(job.id)
    assert ended.status == "failed"
    assert "but 1 records that are used or were changed meanwhile stay" in (ended.error_message or "")
    assert session.scalars(select(ImportKept.key)).all() == ["Brand 0"]


def test_a_check_is_not_made_twice_for_one_apply(session: Session, editor: User) -> None:
    stock_up("A", quantity=5)
    found = check(editor, upload(editor, "outflows", sales(5)), on_error="abort")
    job = imports.start_import(editor, found.public_id)
    carry_out(job.id, import_apply.run_import)
    assert look_at(job.id).processed == 5
