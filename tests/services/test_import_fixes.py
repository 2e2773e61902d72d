"""Failed rows are corrected in the page and tried again, without the rest of their file."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import quantity_of, stock_up
from tests.support.houses import drain_queue
from tests.support.imports import apply, check, counts, job_of, reload_import, start, undo, upload
from tests.support.jobs import claim, die_after, look_at, lose_worker
from webapp.errors import Conflict, Invalid, NotFound
from webapp.models import Change, DataImport, ImportRowError, Outflow, Supplier, TaskNotification, User
from webapp.services import import_apply, import_errors, import_fixes, jobs

pytestmark = [on_both_databases, pytest.mark.slow]

SUPPLIERS = "name,email\nA,bad\nB,b@b.example\nC,worse\nD,bad\n"


def bring_in(editor: User, resource: str, text: str) -> DataImport:
    found = upload(editor, resource, text)
    apply(editor, found)
    return reload_import(found)


def try_again(editor: User, found: DataImport) -> TaskNotification:
    import_fixes.start_fixed(editor, found.public_id)
    drain_queue()
    return job_of(found)


def names(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(Supplier.name).order_by(Supplier.name)))


def test_a_corrected_row_is_taken_and_the_others_wait(session: Session, editor: User) -> None:
    found = bring_in(editor, "suppliers", SUPPLIERS)
    import_fixes.fix_row(editor, found.public_id, 2, {"email": "a@a.example"})
    assert import_fixes.count_fixed(found) == 1
    job = try_again(editor, found)
    assert (job.status, job.task_type, counts(job)) == ("completed", "import", (1, 0, 0, 0))
    assert names(session) == ["A", "B"]
    assert [item.line for item in import_errors.list_row_errors(found)] == [4, 5]
    assert reload_import(found).state == "applied"


def test_one_correction_settles_all_rows_with_the_same_value(session: Session, editor: User) -> None:
    found = bring_in(editor, "suppliers", SUPPLIERS)
    assert import_fixes.fix_value(editor, found.public_id, "email", "bad", "x@x.example") == 2
    assert counts(try_again(editor, found)) == (2, 0, 0, 0)
    assert names(session) == ["A", "B", "D"]


def test_a_correction_that_is_wrong_itself_says_so_with_the_row_as_it_is_now(
    session: Session, editor: User
) -> None:
    found = bring_in(editor, "suppliers", SUPPLIERS)
    import_fixes.fix_row(editor, found.public_id, 2, {"email": "still bad", "name": "Renamed"})
    assert counts(try_again(editor, found)) == (0, 0, 0, 1)
    first = import_errors.list_row_errors(found)[0]
    assert (first.line, first.value, first.row, first.fixes) == (
        2,
        "still bad",
        {"name": "Renamed", "email": "still bad"},
        None,
    )


def test_corrections_add_up_until_they_are_applied(session: Session, editor: User) -> None:
    found = bring_in(editor, "suppliers", SUPPLIERS)
    import_fixes.fix_value(editor, found.public_id, "email", "bad", "x@x.example")
    import_fixes.fix_row(editor, found.public_id, 2, {"name": "Renamed"})
    try_again(editor, found)
    assert names(session) == ["B", "D", "Renamed"]


def test_an_empty_value_is_corrected_in_all_rows(session: Session, editor: User) -> None:
    stock_up("A", quantity=9)
    found = bring_in(editor, "outflows", "reference,product,quantity\nS-1,A,\nS-2,A,\n")
    groups = import_errors.group_row_errors(found)
    assert [(group.column, group.value, group.count) for group in groups] == [("quantity", "", 2)]
    assert import_fixes.fix_value(editor, found.public_id, "quantity", "", "3") == 2
    assert (counts(try_again(editor, found)), quantity_of("A")) == ((2, 0, 0, 0), 3)


def test_a_corrected_row_keeps_its_line_and_belongs_to_the_import(session: Session, editor: User) -> None:
    found = bring_in(editor, "suppliers", SUPPLIERS)
    import_fixes.fix_row(editor, found.public_id, 5, {"email": "d@d.example"})
    job = try_again(editor, found)
    change = session.scalars(select(Change).where(Change.job_id == job.id)).one()
    assert (change.line, change.source) == (5, "import")
    undo(editor, found)
    assert names(session) == []


def test_a_row_that_did_not_fail_cannot_be_corrected(session: Session, editor: User) -> None:
    found = bring_in(editor, "suppliers", SUPPLIERS)
    with pytest.raises(NotFound):
        import_fixes.fix_row(editor, found.public_id, 3, {"email": "x@x.example"})


def test_a_column_that_the_file_does_not_have_is_refused(session: Session, editor: User) -> None:
    found = bring_in(editor, "suppliers", SUPPLIERS)
    with pytest.raises(Invalid, match="no column “phone”"):
        import_fixes.fix_row(editor, found.public_id, 2, {"phone": "1"})
    with pytest.raises(Invalid, match="no column “phone”"):
        import_fixes.fix_value(editor, found.public_id, "phone", "", "1")


def test_nothing_is_tried_again_without_a_correction(session: Session, editor: User) -> None:
    found = bring_in(editor, "suppliers", SUPPLIERS)
    with pytest.raises(Conflict, match="No row was corrected"):
        import_fixes.start_fixed(editor, found.public_id)


def test_rows_are_corrected_after_the_apply_and_not_before(session: Session, editor: User) -> None:
    found = check(editor, upload(editor, "suppliers", SUPPLIERS))
    with pytest.raises(Conflict, match="once the import was applied"):
        import_fixes.fix_row(editor, found.public_id, 2, {"email": "a@a.example"})


def test_a_stranger_corrects_nothing(session: Session, editor: User, stranger: User) -> None:
    found = bring_in(editor, "suppliers", SUPPLIERS)
    with pytest.raises(NotFound):
        import_fixes.fix_row(stranger, found.public_id, 2, {"email": "a@a.example"})
    with pytest.raises(NotFound):
        import_fixes.fix_value(stranger, found.public_id, "email", "bad", "x@x.example")


@pytest.mark.slow
def test_killed_while_it_tries_corrected_rows_it_saves_each_once(session: Session, editor: User) -> None:
    rows = 700
    stock_up("A", quantity=rows)
    text = "reference,product,quantity\n" + "".join(f"S-{number},A,?\n" for number in range(rows))
    found = bring_in(editor, "outflows", text)
    assert import_fixes.fix_value(editor, found.public_id, "quantity", "?", "1") == rows
    job_id = import_fixes.start_fixed(editor, found.public_id).id
    for _ in range(2):
        die_after(claim(job_id), 1, import_apply.run_import)
        lose_worker(job_id)
    import_apply.run_import(claim(job_id))
    job = look_at(job_id)
    assert (job.status, counts(job), quantity_of("A")) == ("completed", (rows, 0, 0, 0), 0)
    assert len(session.scalars(select(Outflow.id)).all()) == rows
    assert session.scalars(select(ImportRowError)).all() == []


@pytest.mark.slow
def test_the_failed_rows_of_a_cancelled_import_can_be_corrected(session: Session, editor: User) -> None:
    stock_up("A", quantity=2000)
    text = "reference,product,quantity\nS,A,?\n" + "".join(f"S-{n},A,1\n" for n in range(900))
    found = upload(editor, "outflows", text)
    job = start(editor, found)
    die_after(claim(job.id), 2, import_apply.run_import)  # the first forgets what the check has said
    jobs.cancel_job(editor, job.task_id)
    lose_worker(job.id)
    import_fixes.fix_row(editor, found.public_id, 2, {"quantity": "1"})
    assert counts(try_again(editor, found)) == (1, 0, 0, 0)
