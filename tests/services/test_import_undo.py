"""An applied import is taken back: exactly, once, and without what others have done since."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import heard_signals, product, quantity_of, save, stock_up
from tests.support.imports import apply, bring_in, check, job_of, reload_import, start, undo, upload
from tests.support.jobs import carry_out, claim, die_after, look_at, lose_worker
from webapp.errors import Conflict, NotFound
from webapp.extensions import db
from webapp.models import Brand, Category, Change, DataImport, Inflow, Outflow, Product, User
from webapp.services import import_apply, import_undo, imports, job_actions, jobs, stock
from webapp.services.signals import record_deleted

pytestmark = [on_both_databases, pytest.mark.slow]

PRODUCTS = (
    "serial_number,title,category,cost_price,sell_price,quantity\n"
    "A,Tea,Tools,1,2,10\nB,Coffee,Tools,1,2,0\nC,Cocoa,Tools,1,2,5\n"
)


def inflow_file(rows: int) -> str:
    return "reference,product,quantity\n" + "".join(f"P-{number},A,2\n" for number in range(rows))


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def kept(data_import: DataImport) -> list[tuple[str, str]]:
    return [
        (item.key, item.message % item.params) for item in import_undo.list_kept(reload_import(data_import))
    ]


def test_created_records_go_and_updated_ones_are_what_they_were(session: Session, editor: User) -> None:
    save("brands", {"name": "Old", "description": "before"}, {"name": "Bare"})
    found = upload(editor, "brands", "name,description\nNew,n\nOld,after\nBare,filled\n")
    apply(editor, found)
    job = undo(editor, found)
    assert (job.status, job.task_type, job.updated, job.record_count) == ("completed", "import_undo", 2, 3)
    rows = session.execute(select(Brand.name, Brand.description).order_by(Brand.id)).all()
    assert [tuple(row) for row in rows] == [("Old", "before"), ("Bare", None)]
    done = reload_import(found)
    assert (done.state, done.undone_at is not None) == ("undone", True)
    assert done.report is not None
    assert done.report["undo"] == {"job": job.task_id, "removed": 1, "restored": 2, "kept": 0}


def test_products_go_with_the_stock_that_came_with_them(session: Session, editor: User) -> None:
    save("categories", {"name": "Tools"})
    found = upload(editor, "products", PRODUCTS)
    apply(editor, found)
    undo(editor, found)
    assert (count(Product), count(Inflow), count(Category), stock.verify_stock()) == (0, 0, 1, [])


def test_movements_are_taken_out_of_the_stock(session: Session, editor: User) -> None:
    stock_up("A", quantity=7)
    found = upload(editor, "outflows", "reference,product,quantity\nS-1,A,3\nS-2,A,2\n")
    apply(editor, found)
    assert quantity_of("A") == 2
    undo(editor, found)
    assert (quantity_of("A"), count(Outflow), stock.verify_stock()) == (7, 0, [])


def test_a_movement_that_was_changed_by_the_import_gives_the_difference_back(
    session: Session, editor: User
) -> None:
    stock_up("A", quantity=10)
    save("outflows", {"reference": "S-1", "product": "A", "quantity": 4})
    found = upload(editor, "outflows", "reference,product,quantity\nS-1,A,9\n")
    apply(editor, found)
    assert quantity_of("A") == 1
    undo(editor, found)
    assert quantity_of("A") == 6
    assert session.scalars(select(Outflow.quantity)).all() == [4]


def test_what_somebody_else_changed_since_is_kept_and_listed(
    session: Session, editor: User, stranger: User
) -> None:
    found = upload(editor, "brands", "name,description\nOne,1\nTwo,2\nThree,3\n")
    apply(editor, found)
    save("brands", {"name": "Two", "description": "mine"}, actor_id=stranger.id, source="form")
    undo(editor, found)
    assert session.scalars(select(Brand.name)).all() == ["Two"]
    assert kept(found) == [("Two", f"It was changed since by {stranger.email}.")]
    assert job_of(found).failed == 1


def test_a_later_import_counts_as_somebody_elses(session: Session, editor: User) -> None:
    first = upload(editor, "brands", "name,description\nOne,1\nTwo,1\n")
    apply(editor, first)
    second = upload(editor, "brands", "name,description\nTwo,2\n")
    apply(editor, second)
    undo(editor, first)
    assert session.execute(select(Brand.name, Brand.description)).all() == [("Two", "2")]
    undo(editor, second)
    assert session.execute(select(Brand.name, Brand.description)).all() == [("Two", "1")]


def test_a_movement_whose_pieces_are_gone_is_kept_and_listed(session: Session, editor: User) -> None:
    stock_up("A")
    found = upload(editor, "inflows", inflow_file(3))
    apply(editor, found)
    save("outflows", {"reference": "S-1", "product": "A", "quantity": 3})
    undo(editor, found)
    assert session.scalars(select(Inflow.reference).order_by(Inflow.id)).all() == ["P-0", "P-1"]
    assert (quantity_of("A"), stock.verify_stock()) == (1, [])
    assert [key for key, _ in kept(found)] == ["P-1", "P-0"]
    assert "Only 1 of A are left" in kept(found)[0][1]


def test_a_product_that_is_sold_meanwhile_is_kept_with_its_opening_stock(
    session: Session, editor: User
) -> None:
    save("categories", {"name": "Tools"})
    found = upload(editor, "products", PRODUCTS)
    apply(editor, found)
    save("outflows", {"reference": "S-1", "product": "A", "quantity": 4})
    undo(editor, found)
    assert session.scalars(select(Product.serial_number)).all() == ["A"]
    assert (quantity_of("A"), stock.verify_stock()) == (6, [])
    assert [message for _, message in kept(found)] == [
        "Only 6 of A are left: without these 10 the stock falls below zero.",
        "It is used by other records (Inflows).",
    ]


def test_a_category_that_is_used_meanwhile_is_kept_and_listed(session: Session, editor: User) -> None:
    found = upload(editor, "categories", "name\nTools\nToys\n")
    apply(editor, found)
    save("products", product("A"))
    undo(editor, found)
    assert kept(found) == [("Tools", "It is used by other records (Products).")]
    assert session.scalars(select(Category.name)).all() == ["Tools"]


def test_what_was_created_on_the_way_goes_too(session: Session, editor: User) -> None:
    found = upload(editor, "products", PRODUCTS)
    apply(editor, found, create_missing=["category"])
    assert count(Category) == 1
    undo(editor, found)
    assert (count(Product), count(Category), count(Inflow)) == (0, 0, 0)


def test_a_record_that_stood_twice_in_the_file_goes_back_all_the_way(session: Session, editor: User) -> None:
    save("brands", {"name": "One", "description": "0"})
    found = upload(editor, "brands", "name,description\nOne,1\nOne,2\n")
    apply(editor, found)
    assert session.scalars(select(Brand.description)).all() == ["2"]
    undo(editor, found)
    assert session.scalars(select(Brand.description)).all() == ["0"]


def test_the_signals_and_the_audit_tell_of_it(session: Session, editor: User) -> None:
    stock_up("A", quantity=7)
    found = upload(editor, "outflows", "reference,product,quantity\nS-1,A,3\n")
    apply(editor, found)
    deleted = []

    def hear(sender: str, **carried: object) -> None:
        deleted.append((sender, carried["before"]["quantity"]))  # type: ignore[index]  # column values

    with record_deleted.connected_to(hear), heard_signals() as heard:
        job = undo(editor, found)
    assert deleted == [("outflows", 3)]
    assert [(name, carried["delta"]) for name, _, carried in heard] == [("stock_moved", 3)]
    change = session.scalars(select(Change).order_by(Change.id.desc())).first()
    assert change is not None
    assert (change.action, change.source, change.job_id, change.actor_id) == (
        "deleted",
        "undo",
        job.id,
        editor.id,
    )
    assert (change.before or {})["reference"] == "S-1"


def test_the_preview_tells_what_would_be_done_and_does_nothing(
    session: Session, editor: User, stranger: User
) -> None:
    save("categories", {"name": "Tools"}, {"name": "Food", "description": "x"})
    first = upload(editor, "categories", "name,description\nNew,n\nFood,y\nMine,z\n")
    apply(editor, first)
    save("categories", {"name": "Mine", "description": "mine"}, actor_id=stranger.id, source="form")
    with heard_signals() as heard:
        preview = import_undo.preview_undo(reload_import(first))
    assert [item.key for item in preview.removed] == ["New"]
    assert [item.key for item in preview.restored] == ["Food"]
    assert [(item.key, str(item.reason)) for item in preview.kept] == [
        ("Mine", f"It was changed since by {stranger.email}.")
    ]
    assert preview.counts == {"removed": 1, "restored": 1, "kept": 1}
    assert (preview.is_complete, heard, count(Category)) == (True, [], 4)


def test_the_preview_follows_the_stock_and_the_uses_as_they_would_become(
    session: Session, editor: User
) -> None:
    save("categories", {"name": "Tools"})
    found = upload(editor, "products", PRODUCTS.replace("Tools", "Drinks"))
    apply(editor, found, create_missing=["category"])
    save("outflows", {"reference": "S-1", "product": "C", "quantity": 1})
    preview = import_undo.preview_undo(reload_import(found))
    undo(editor, found)
    assert [item.key for item in preview.removed if item.resource == "products"] == ["B", "A"]
    assert [item.key for item in preview.kept] == [key for key, _ in kept(found)]
    assert session.scalars(select(Product.serial_number)).all() == ["C"]


def test_an_import_of_many_rows_is_previewed_in_part_and_says_so(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_undo, "PREVIEWED_CHANGES", 1)
    monkeypatch.setattr("webapp.services.import_reversal.READ_AT_ONCE", 2)
    found = upload(editor, "brands", "name\nOne\nTwo\nThree\n")
    apply(editor, found)
    preview = import_undo.preview_undo(reload_import(found))
    assert (preview.looked_at, preview.changes, preview.is_complete) == (2, 3, False)


def test_only_an_applied_import_can_be_taken_back_and_only_once(session: Session, editor: User) -> None:
    found = upload(editor, "brands", "name\nOne\n")
    with pytest.raises(Conflict, match="that was applied"):
        imports.start_undo(editor, found.public_id)
    apply(editor, found)
    undo(editor, found)
    with pytest.raises(Conflict, match="that was applied"):
        imports.start_undo(editor, found.public_id)


def test_an_import_that_was_taken_back_is_not_applied_again(session: Session, editor: User) -> None:
    found = upload(editor, "brands", "name\nOne\n")
    apply(editor, found)
    undo(editor, found)
    for attempt in (
        lambda: imports.start_import(editor, found.public_id),
        lambda: imports.start_check(editor, found.public_id, {"name": "name"}),
    ):
        with pytest.raises(Conflict):
            attempt()


def test_a_stranger_takes_nothing_back(session: Session, editor: User, stranger: User) -> None:
    found = upload(editor, "brands", "name\nOne\n")
    apply(editor, found)
    with pytest.raises(NotFound):
        imports.start_undo(stranger, found.public_id)


def test_two_jobs_of_one_import_do_not_run_together(session: Session, editor: User) -> None:
    found = upload(editor, "brands", "name\nOne\n")
    apply(editor, found)
    imports.start_undo(editor, found.public_id)
    with pytest.raises(Conflict, match="still being done"):
        imports.start_undo(editor, found.public_id)


@pytest.mark.slow
def test_an_undo_that_is_killed_goes_on_and_does_nothing_twice(session: Session, editor: User) -> None:
    stock_up("A", quantity=1)
    found = upload(editor, "inflows", inflow_file(700))
    apply(editor, found)
    save("outflows", {"reference": "S-1", "product": "A", "quantity": 500})
    job_id = imports.start_undo(editor, found.public_id).id
    with heard_signals() as heard:
        for batches in (1, 1):
            die_after(claim(job_id), batches, import_undo.run_undo)
            assert stock.verify_stock() == []
            lose_worker(job_id)
        import_undo.run_undo(claim(job_id))
    job = look_at(job_id)
    # 1 + 1400 - 500 pieces; 450 inflows of 2 can go
    assert (job.status, quantity_of("A"), count(Inflow)) == ("completed", 1, 251)
    assert (job.record_count, job.failed, len(heard)) == (450, 250, 450)


@pytest.mark.slow
def test_a_cancelled_undo_is_begun_again_where_it_stopped(session: Session, editor: User) -> None:
    stock_up("A")
    found = upload(editor, "inflows", inflow_file(700))
    apply(editor, found)
    job = imports.start_undo(editor, found.public_id)
    die_after(claim(job.id), 1, import_undo.run_undo)
    jobs.cancel_job(editor, job.task_id)
    lose_worker(job.id)
    assert look_at(job.id).status == "cancelled"
    left = count(Inflow)
    assert 0 < left < 700
    assert import_undo.preview_undo(reload_import(found)).changes == left
    undo(editor, found)
    assert (count(Inflow), quantity_of("A"), reload_import(found).state) == (0, 0, "undone")
    report = reload_import(found).report or {}
    assert (report["undo"]["removed"], report["undo"]["kept"]) == (700, 0)


@pytest.mark.slow
def test_what_a_cancelled_import_has_applied_can_be_taken_back(session: Session, editor: User) -> None:
    stock_up("A")
    found = upload(editor, "inflows", inflow_file(700))
    job = start(editor, found)
    die_after(claim(job.id), 1, import_apply.run_import)
    jobs.cancel_job(editor, job.task_id)
    lose_worker(job.id)
    assert count(Inflow) > 0
    undo(editor, found)
    assert (count(Inflow), quantity_of("A")) == (0, 0)
    with pytest.raises(Conflict, match="that was applied"):
        imports.start_undo(editor, found.public_id)
    jobs.retry_job(editor, job.task_id)  # from the monitor, by somebody who does not know
    carry_out(job.id, import_apply.run_import)
    assert (look_at(job.id).status, count(Inflow)) == ("failed", 0)


def test_a_job_that_is_deleted_leaves_its_import_to_be_taken_back(session: Session, editor: User) -> None:
    found = upload(editor, "brands", "name\nOne\n")
    task_id, public_id = apply(editor, found).task_id, found.public_id
    job_actions.delete_job(editor, task_id)
    found = imports.get_import(editor, public_id)
    bring_in(editor, "brands", "name\nTwo\n")
    record_id = session.scalars(select(Brand.id).where(Brand.name == "One")).one()
    last = imports.find_last_import("brands", record_id)
    assert last is not None
    assert (last.public_id, last.line) == (public_id, 2)
    undo(editor, found)
    assert session.scalars(select(Brand.name)).all() == ["Two"]


def test_a_record_knows_which_import_last_touched_it(session: Session, editor: User) -> None:
    save("brands", {"name": "Own"})
    first = upload(editor, "brands", "name,description\nOne,1\nTwo,1\n", "first.csv")
    apply(editor, first)
    second = upload(editor, "brands", "name,description\n\nTwo,2\n", "second.csv")
    apply(editor, second)
    ids = {brand.name: brand.id for brand in session.scalars(select(Brand))}
    found = imports.find_last_import("brands", ids["Two"])
    assert found is not None
    assert (found.public_id, found.file_name, found.line) == (second.public_id, "second.csv", 3)
    assert imports.find_last_import("brands", ids["Own"]) is None
    undo(editor, second)
    again = imports.find_last_import("brands", ids["Two"])
    assert again is not None
    assert again.public_id == first.public_id


def test_a_check_is_no_import_that_touched_anything(session: Session, editor: User) -> None:
    save("brands", {"name": "One"})
    check(editor, upload(editor, "brands", "name,description\nOne,1\n"))
    record_id = session.scalars(select(Brand.id)).one()
    assert imports.find_last_import("brands", record_id) is None
