"""Imports: a file is kept and understood, a person decides, every row is saved exactly once."""

import io
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import Settings
from tests.support.databases import on_both_databases
from tests.support.factories import heard_signals, quantity_of, save, stock_up
from tests.support.houses import MakeApp
from tests.support.imports import apply, bring_in, check, counts, job_of, reload_import, start, upload
from tests.support.jobs import carry_out, claim, die_after, look_at, lose_worker
from webapp.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from webapp.models import Brand, Category, Change, DataImport, ImportRowError, Outflow, Supplier, User
from webapp.services import import_apply, import_batches, import_errors, imports, jobs

pytestmark = on_both_databases


def outflow_file(rows: int, product: str = "A") -> str:
    """Return a file of sales of one piece each."""
    return "reference,product,quantity\n" + "".join(f"S-{number},{product},1\n" for number in range(rows))


def test_an_upload_is_kept_inspected_and_gets_a_mapping(session: Session, editor: User) -> None:
    found = upload(editor, "categories", "CategoryID,CategoryName,Description\n1,Beverages,Soft drinks\n")
    assert (found.state, found.row_count, found.dialect is not None) == ("inspected", 1, True)
    assert found.mapping is not None
    assert {name: rule["column"] for name, rule in found.mapping.items()} == {
        "name": "CategoryName",
        "description": "Description",
    }
    assert found.sample == [
        [2, {"CategoryID": "1", "CategoryName": "Beverages", "Description": "Soft drinks"}]
    ]


def test_a_suppliers_company_name_is_its_name(session: Session, editor: User) -> None:
    found = upload(editor, "suppliers", "CompanyName,Phone\nNorthern Foods,1\n")
    assert found.mapping is not None
    assert found.mapping["name"]["column"] == "CompanyName"


def test_nothing_is_saved_before_a_person_has_decided(session: Session, editor: User) -> None:
    upload(editor, "brands", "name\nAcme\n")
    assert session.scalar(select(func.count()).select_from(Brand)) == 0


def test_rows_are_created_updated_left_unchanged_and_refused(session: Session, editor: User) -> None:
    save("brands", {"name": "Old", "description": "x"}, {"name": "Same", "description": "y"})
    job = bring_in(editor, "brands", "name,description\nNew,n\nOld,changed\nSame,y\n,nameless\n")
    assert (job.status, counts(job)) == ("completed", (1, 1, 1, 1))
    assert (job.processed, job.total, job.record_count) == (4, 4, 2)


def test_an_error_is_kept_with_its_line_column_value_and_row(session: Session, editor: User) -> None:
    stock_up("A", quantity=1)
    text = "reference,product,quantity\nS-1,A,many\n\nS-2,nobody,1\n"
    found = upload(editor, "outflows", text)
    job = apply(editor, found)
    errors = import_errors.list_row_errors(reload_import(found))
    assert counts(job) == (0, 0, 0, 2)
    assert [(item.line, item.column, item.value) for item in errors] == [
        (2, "quantity", "many"),
        (4, "product", "nobody"),
    ]
    assert "%(value)s" in errors[0].message
    assert errors[0].params["value"] == "many"
    assert errors[1].row == {"reference": "S-2", "product": "nobody", "quantity": "1"}


def test_the_errors_of_a_file_are_read_page_by_page(session: Session, editor: User) -> None:
    found = upload(editor, "brands", "name,description\n" + ",x\n" * 5)
    apply(editor, found)
    first = import_errors.list_row_errors(found, limit=3)
    rest = import_errors.list_row_errors(found, after=(first[-1].line, first[-1].id), limit=3)
    assert [item.line for item in [*first, *rest]] == [2, 3, 4, 5, 6]


def test_several_problems_of_a_row_are_all_said(session: Session, editor: User) -> None:
    text = "serial_number,title,category,cost_price,sell_price\nA,,Nothing,cheap,1\n"
    found = upload(editor, "products", text)
    apply(editor, found)
    # what needs the database is not looked for in a row that cannot be read
    assert {item.column for item in import_errors.list_row_errors(found)} >= {"cost_price"}
    assert len({item.line for item in import_errors.list_row_errors(found)}) == 1


def test_importing_the_same_file_again_changes_nothing(session: Session, editor: User) -> None:
    stock_up("A", quantity=10)
    bring_in(editor, "outflows", outflow_file(4))
    again = bring_in(editor, "outflows", outflow_file(4))
    assert (counts(again), quantity_of("A")) == ((0, 0, 4, 0), 6)


def test_each_change_names_the_job_and_the_line(session: Session, editor: User) -> None:
    job = bring_in(editor, "brands", "name\nAcme\n\nBolt\n")
    rows = session.execute(
        select(Change.job_id, Change.line, Change.source, Change.actor_id).order_by(Change.id)
    ).all()
    assert [tuple(row) for row in rows] == [
        (job.id, 2, "import", editor.id),
        (job.id, 4, "import", editor.id),
    ]


def test_a_column_may_be_mapped_by_hand_with_defaults_and_words_replaced(
    session: Session, editor: User
) -> None:
    save("categories", {"name": "Beverages"})
    found = upload(editor, "products", "code,what,group,buy\nA,Tea,Bebidas,2\n")
    job = apply(
        editor,
        found,
        {
            "serial_number": "code",
            "title": "what",
            "category": {"column": "group", "values": {"Bebidas": "Beverages"}},
            "cost_price": "buy",
            "sell_price": {"default": "9.50"},
            "description": "what",
        },
    )
    assert counts(job) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("mapping", "named"),
    [
        ({"nmae": "name"}, "nmae"),
        ({"name": "Nowhere"}, "Nowhere"),
        ({"description": "name"}, "Name"),
        ({}, "No column is used"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_and_says_why(
    session: Session, editor: User, mapping: dict[str, str], named: str
) -> None:
    found = upload(editor, "brands", "name\nAcme\n")
    with pytest.raises(Invalid, match=named):
        imports.start_check(editor, found.public_id, mapping)
    assert reload_import(found).state == "inspected"


def test_an_unknown_option_is_refused(session: Session, editor: User) -> None:
    found = upload(editor, "brands", "name\nAcme\n")
    for options in ({"mode": "replace"}, {"speed": "high"}):
        with pytest.raises(Invalid):
            imports.start_check(editor, found.public_id, {"name": "name"}, options)


def test_an_import_is_started_once(session: Session, editor: User) -> None:
    found = upload(editor, "brands", "name\nAcme\n")
    apply(editor, found)
    with pytest.raises(Conflict, match="already started"):
        start(editor, found)
    assert counts(job_of(found)) == (1, 0, 0, 0)


def test_a_file_that_is_still_being_read_cannot_be_started(session: Session, editor: User) -> None:
    made = imports.create_import(editor, "brands", io.BytesIO(b"name\nAcme\n"), "brands.csv")
    with pytest.raises(Conflict, match="still being read"):
        imports.start_check(editor, made.public_id, {"name": "name"})


def test_all_or_nothing_does_not_start_from_a_check_with_errors(session: Session, editor: User) -> None:
    stock_up("A", quantity=3)
    found = check(editor, upload(editor, "outflows", outflow_file(5)), on_error="abort")
    with pytest.raises(Invalid, match="Nothing was saved, because of rows that cannot be taken: 2"):
        imports.start_import(editor, found.public_id)
    assert [item.line for item in import_errors.list_row_errors(found)] == [5, 6]
    assert (reload_import(found).state, quantity_of("A")) == ("checked", 3)


def test_all_or_nothing_saves_all_when_every_row_is_good(session: Session, editor: User) -> None:
    stock_up("A", quantity=5)
    job = bring_in(editor, "outflows", outflow_file(5), on_error="abort")
    assert (job.status, counts(job), quantity_of("A")) == ("completed", (5, 0, 0, 0), 0)


@pytest.mark.parametrize(("mode", "expected"), [("create", (1, 0, 0, 1)), ("update", (0, 1, 0, 1))])
def test_a_mode_refuses_the_other_kind_of_row(
    session: Session, editor: User, mode: str, expected: tuple[int, int, int, int]
) -> None:
    save("brands", {"name": "Old"})
    job = bring_in(editor, "brands", "name,description\nOld,x\nNew,y\n", mode=mode)
    assert counts(job) == expected


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"\x89PNG\r\n\x1a\n" + b"0" * 99, "picture|image"), (b"%PDF-1.7 ...", "PDF"), (b"", "empty")],
)
def test_what_is_no_table_is_refused_at_the_door_and_not_kept(
    session: Session, settings: Settings, editor: User, content: bytes, sentence: str
) -> None:
    with pytest.raises(Problem, match=f"(?i){sentence}"):
        imports.create_import(editor, "brands", io.BytesIO(content), "brands.csv")
    assert list((settings.data_dir / "media").glob("*/*")) == []
    assert session.scalars(select(DataImport)).all() == []


def test_a_file_above_the_limit_is_refused_and_not_kept(make_app: MakeApp, editor: User) -> None:
    app = make_app(MAX_UPLOAD_MB="1")
    with app.app_context():
        big = b"name\n" + b"Acme\n" * 300_000
        with pytest.raises(Problem, match="larger than 1 MB"):
            imports.create_import(editor, "brands", io.BytesIO(big), "brands.csv")
        assert list((app.extensions["stockroom_settings"].data_dir / "media").glob("*/*")) == []


def test_a_file_that_cannot_be_read_fails_with_a_sentence_and_is_not_tried_again(
    session: Session, editor: User
) -> None:
    found = upload(editor, "brands", '{"name": "Acme"')
    job = job_of(found)
    assert (job.status, job.failure_kind, job.attempt, found.state) == ("failed", "bad_input", 1, "uploaded")
    assert job.error_message


def test_the_name_of_an_upload_is_only_for_show(session: Session, editor: User) -> None:
    found = upload(editor, "brands", "name\nAcme\n", "..\\..\\etc/pass\x00wd\u202e.csv")
    assert found.file_name == "passwd.csv"
    assert found.file_path is not None
    assert "passwd" not in found.file_path


def test_a_viewer_cannot_import(session: Session, viewer: User) -> None:
    with pytest.raises(Forbidden):
        imports.create_import(viewer, "brands", io.BytesIO(b"name\nAcme\n"), "brands.csv")


def test_an_import_belongs_to_its_user_and_to_administrators(
    session: Session, editor: User, stranger: User, admin: User
) -> None:
    found = upload(editor, "brands", "name\nAcme\n")
    assert imports.get_import(admin, found.public_id).id == found.id
    assert list(imports.list_imports(stranger)) == []
    for attempt in (lambda: imports.get_import(stranger, found.public_id), lambda: start(stranger, found)):
        with pytest.raises(NotFound):
            attempt()


def test_a_movement_that_stands_again_is_refused_however_far_below(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_batches, "FIRST_BATCH_ROWS", 2)
    monkeypatch.setattr(import_batches, "LARGEST_BATCH_ROWS", 2)
    stock_up("A", quantity=9)
    head = "reference,product,quantity\n"
    bring_in(editor, "outflows", f"{head}S-1,A,1\n")
    rows = [f"S-{place},A,1\n" for place in (1, 2, 3, 4, 1, 2)]
    made = upload(editor, "outflows", head + "".join(rows))
    assert counts(apply(editor, made)) == (3, 0, 1, 2)
    found = session.execute(select(ImportRowError.line, ImportRowError.params).order_by(ImportRowError.line))
    assert [(line, params["line"]) for line, params in found] == [(6, 2), (7, 3)]
    assert quantity_of("A") == 5


def test_a_killed_import_resumes_with_no_row_lost_and_none_twice(session: Session, editor: User) -> None:
    stock_up("A", quantity=1000)
    job_id, rows = start(editor, upload(editor, "outflows", outflow_file(950))).id, 950
    seen = []
    with heard_signals() as heard:
        for batches in (1, 2):
            run = claim(job_id)
            die_after(run, batches, import_apply.run_import)
            seen.append(look_at(job_id).processed)
            lose_worker(job_id)
        carry_out(job_id, import_apply.run_import)
    job = look_at(job_id)
    assert 0 < seen[0] < seen[1] < rows
    assert (job.status, counts(job), quantity_of("A")) == ("completed", (rows, 0, 0, 0), 50)
    saved = [carried["line"] for name, _, carried in heard if name == "record_saved"]
    assert saved == list(range(2, rows + 2))


def test_a_poisoned_import_ends_row_by_row_and_names_the_last_good_line(
    session: Session, editor: User
) -> None:
    stock_up("A", quantity=1000)
    job_id = start(editor, upload(editor, "outflows", outflow_file(30))).id
    for _ in range(2):
        claim(job_id)
        lose_worker(job_id)
    run = claim(job_id)
    die_after(run, 7, import_apply.run_import)
    assert look_at(job_id).checkpoint == {"line": 8}


def test_a_cancelled_import_keeps_what_was_saved_and_says_so(session: Session, editor: User) -> None:
    stock_up("A", quantity=1000)
    job = start(editor, upload(editor, "outflows", outflow_file(900)))
    run = claim(job.id)
    die_after(run, 1, import_apply.run_import)
    jobs.cancel_job(editor, job.task_id)
    lose_worker(job.id)
    ended = look_at(job.id)
    assert (ended.status, ended.processed) == ("cancelled", ended.created)
    assert (
        session.scalar(select(func.count()).select_from(Outflow)) == ended.created == 1000 - quantity_of("A")
    )


def test_the_upload_that_is_gone_is_said(session: Session, editor: User, settings: Settings) -> None:
    found = upload(editor, "brands", "name\nAcme\n")
    start(editor, found)
    path = Path(settings.data_dir, "media", str(found.file_path))
    text = path.read_bytes()
    path.unlink()
    carry_out(job_of(found).id, import_apply.run_import)
    job = job_of(found)
    assert (job.status, job.failure_kind) == ("failed", "bad_input")
    path.write_bytes(text)


def test_a_file_of_the_house_comes_back_unchanged(session: Session, editor: User) -> None:
    text = 'name,description\n"Café, ""au lait""",="00123"\nNA,null\n'
    bring_in(editor, "categories", text)
    assert session.scalars(select(Category.name).order_by(Category.id)).all() == ['Café, "au lait"', "NA"]
    again = bring_in(editor, "categories", text)
    assert counts(again) == (0, 0, 2, 0)


def test_a_negative_amount_refuses_its_row_and_not_the_file(session: Session, editor: User) -> None:
    save("categories", {"name": "Tools"})
    text = "serial_number,title,category,cost_price,sell_price\nA,A,Tools,-1.5,2\nB,B,Tools,1.5,2\n"
    job = bring_in(editor, "products", text)
    assert (job.status, counts(job)) == ("completed", (1, 0, 0, 1))
    error = session.scalars(select(ImportRowError)).one()
    assert error.message % error.params == "-1.5 is less than 0."


DATA = Path(__file__).parents[2].parent / "shared" / "data" / "northwind"
needs_northwind = pytest.mark.skipif(not DATA.exists(), reason="../shared/data is not here")


@needs_northwind
def test_the_northwind_files_come_in_by_their_suggested_mappings(session: Session, editor: User) -> None:
    for resource, model, rows in (("categories", Category, 8), ("suppliers", Supplier, 29)):
        text = (DATA / f"{resource}.csv").read_text("utf-8")
        job = bring_in(editor, resource, text)
        assert (job.status, counts(job)) == ("completed", (rows, 0, 0, 0))
        assert session.scalar(select(func.count()).select_from(model)) == rows
