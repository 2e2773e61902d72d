"""The check of an import: the whole truth about a file, and not one record written."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import heard_signals, product, quantity_of, save, stock_up
from tests.support.houses import drain_queue
from tests.support.imports import apply, bring_in, check, counts, job_of, reload_import, start, undo, upload
from tests.support.jobs import claim, die_after, look_at, lose_worker
from webapp.errors import Conflict, Invalid
from webapp.models import Category, Change, DataImport, ImportRowError, Outflow, Product, User
from webapp.services import import_apply, import_check, imports, jobs, stock

pytestmark = [on_both_databases, pytest.mark.slow]

SALES = "reference,product,quantity\nS-1,A,2\nS-2,A,many\nS-3,nobody,1\nS-4,A,9\nS-5,B,1\n"


def report_of(data_import: DataImport) -> dict[str, Any]:
    found: dict[str, Any] = (reload_import(data_import).report or {})["check"]
    return found


def check_text(actor: User, resource: str, text: str, mapping: Any = None, **options: Any) -> dict[str, Any]:
    """Upload and check a file, and return the report."""
    return report_of(check(actor, upload(actor, resource, text), mapping, **options))


def test_a_check_counts_what_would_happen_and_writes_nothing(session: Session, editor: User) -> None:
    stock_up("A", "B", quantity=5)
    before = session.scalar(select(func.max(Change.id)))
    found = upload(editor, "outflows", SALES)
    with heard_signals() as heard:
        found = check(editor, found)
    report, job = report_of(found), job_of(found)
    assert found.state == "checked"
    assert report["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "failed": 3}
    assert (job.task_type, job.status, counts(job), report["job"]) == (
        "import_check",
        "completed",
        (2, 0, 0, 3),
        job.task_id,
    )
    assert (heard, session.scalar(select(func.max(Change.id)))) == ([], before)
    assert (session.scalar(select(func.count()).select_from(Outflow)), quantity_of("A")) == (0, 5)


def test_the_effect_on_the_stock_is_told_by_product(session: Session, editor: User) -> None:
    stock_up("A", "B", quantity=5)
    stock = check_text(editor, "outflows", SALES)["stock"]
    assert (stock["pieces_in"], stock["pieces_out"]) == (0, 3)
    assert stock["products"] == [
        {"serial_number": "A", "title": "Product A", "before": 5, "after": 3},
        {"serial_number": "B", "title": "Product B", "before": 5, "after": 4},
    ]


def test_a_product_that_was_forgotten_meanwhile_has_what_earlier_rows_left(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_check, "CHUNK_ROWS", 2)
    monkeypatch.setattr(stock, "KEPT_PRODUCTS", 1)
    stock_up("A", "B", "C", quantity=3)
    rows = "".join(f"S-{place},{name},2\n" for place, name in enumerate("ABCACB"))
    report = check_text(editor, "outflows", f"reference,product,quantity\n{rows}")
    assert (report["counts"]["created"], report["counts"]["failed"]) == (3, 3)
    assert [group["params"]["left"] for group in report["errors"]] == [1, 1, 1]
    assert report["stock"]["pieces_out"] == 6


def test_new_products_bring_their_stock_along(session: Session, editor: User) -> None:
    save("categories", {"name": "Tools"})
    text = (
        "serial_number,title,category,cost_price,sell_price,quantity\nA,Tea,Tools,1,2,10\nB,Nuts,Tools,1,2,\n"
    )
    stock = check_text(editor, "products", text)["stock"]
    assert (stock["pieces_in"], stock["pieces_out"]) == (10, 0)
    assert stock["products"] == [{"serial_number": "A", "title": "Tea", "before": 0, "after": 10}]


@pytest.mark.parametrize(("again", "failed"), [("10", 0), ("", 0), ("1", 1)])
def test_a_new_product_that_stands_twice_is_refused_by_the_check_as_by_the_import(
    session: Session, editor: User, again: str, failed: int
) -> None:
    save("categories", {"name": "Tools"})
    between = "".join(
        f"B-{number},Nuts,Tools,1,2,\n" for number in range(import_check.CHUNK_ROWS)
    )  # more than are read at once
    head = "serial_number,title,category,cost_price,sell_price,quantity\n"
    text = f"{head}A,Tea,Tools,1,2,10\n{between}a,Green tea,Tools,1,2,{again}\nC,Oil,Tools,1,2,3\nC,Oil,Tools,1,2,4\n"
    found = check(editor, upload(editor, "products", text))
    report = report_of(found)
    assert report["counts"]["failed"] == failed + 1
    assert [item["message"] for item in report["errors"]] == [
        "The stock is %(stock)s, the file says %(file)s."
    ] * (failed + 1)
    assert [sample["line"] for sample in report["samples"] if sample["action"] == "updated"] == []
    job = apply(editor, found)
    assert counts(job) == tuple(
        report["counts"][name] for name in ("created", "updated", "unchanged", "failed")
    )


def test_errors_are_grouped_by_reason_with_counts_and_the_first_lines(session: Session, editor: User) -> None:
    text = "name,email\n" + "".join(f"S{number},nonsense\n" for number in range(8)) + ",x@y.example\n"
    errors = check_text(editor, "suppliers", text)["errors"]
    assert [(item["column"], item["count"], item["lines"]) for item in errors] == [
        ("email", 8, [2, 3, 4, 5, 6]),
        ("name", 1, [10]),
    ]
    assert errors[0]["message"] % errors[0]["params"] == "“nonsense” is not an e-mail address."
    assert errors[0]["advice"]


def test_more_reasons_than_are_shown_are_counted(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.services.import_report.GROUPS", 2)
    monkeypatch.setattr("webapp.services.import_report.GATHERED_GROUPS", 3)
    text = "name,email\n" + "".join(f"S{number},bad{number}\n" for number in range(6))
    report = check_text(editor, "suppliers", text)
    assert (len(report["errors"]), report["other_errors"]) == (2, 4)
    assert report["counts"]["failed"] == 6


def test_names_that_are_not_found_are_listed_for_the_value_mapping(session: Session, editor: User) -> None:
    stock_up("A")
    text = (
        "serial_number,title,category,cost_price,sell_price\n"
        "B,x,Bebidas,1,2\nC,x,Tools,1,2\nD,x,Bebidas,1,2\nE,x,Comidas,1,2\n"
    )
    found = check(editor, upload(editor, "products", text))
    assert report_of(found)["unknown_values"] == {
        "category": [
            {"value": "Bebidas", "count": 2, "lines": [2, 4]},
            {"value": "Comidas", "count": 1, "lines": [5]},
        ]
    }
    mapping = dict(found.mapping or {})
    mapping["category"] = {**mapping["category"], "values": {"Bebidas": "Tools", "Comidas": "Tools"}}
    again = check(editor, found, mapping)
    assert (report_of(again)["unknown_values"], report_of(again)["counts"]["created"]) == ({}, 4)


def test_what_would_be_created_on_the_way_is_listed_by_name(session: Session, editor: User) -> None:
    stock_up("A")
    text = "serial_number,title,category,cost_price,sell_price\nB,x,Tea,1,2\nC,x,tea,1,2\nD,x,Nuts,1,2\n"
    report = check_text(editor, "products", text, create_missing=["category"])
    assert report["will_create"] == {"category": ["Nuts", "Tea"]}
    assert report["counts"] == {"created": 3, "updated": 0, "unchanged": 0, "failed": 0}
    assert session.scalars(select(Category.name)).all() == ["Tools"]


def test_samples_show_field_by_field_what_changes(session: Session, editor: User) -> None:
    save("categories", {"name": "Tools"}, {"name": "Toys"})
    save("products", product("A", title="Old", description="gone"))
    text = "serial_number,title,category,cost_price,sell_price\nA,New,Toys,2.50,5\nB,Added,Tools,1,2\n"
    samples = check_text(editor, "products", text)["samples"]
    by_action = {item["action"]: item for item in samples}
    assert (by_action["updated"]["line"], by_action["updated"]["key"]) == (2, "A")
    assert by_action["updated"]["changes"] == [
        {"field": "title", "before": "Old", "after": "New"},
        {"field": "category", "before": "Tools", "after": "Toys"},
        {"field": "sell_price", "before": "4.90", "after": "5.00"},
    ]
    assert by_action["created"]["changes"][0] == {"field": "serial_number", "before": None, "after": "B"}


def test_at_most_ten_samples_of_each_kind_are_kept(session: Session, editor: User) -> None:
    text = "name\n" + "".join(f"Brand {number}\n" for number in range(30))
    assert len(check_text(editor, "brands", text)["samples"]) == 10


def test_columns_that_feed_nothing_are_named(session: Session, editor: User) -> None:
    report = check_text(editor, "brands", "name,colour,import_problem\nAcme,red,x\n")
    assert report["ignored_columns"] == ["colour"]


def test_a_check_can_be_repeated_and_forgets_what_the_one_before_has_said(
    session: Session, editor: User
) -> None:
    found = check(editor, upload(editor, "suppliers", "name,email\nA,bad\nB,b@b.example\n"))
    assert report_of(found)["counts"]["failed"] == 1
    mapping = {"name": "name"}
    again = check(editor, found, mapping)
    assert report_of(again)["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "failed": 0}
    assert session.scalar(select(func.count()).select_from(ImportRowError)) == 0
    assert again.mapping == mapping


@pytest.mark.slow
def test_a_check_that_is_cut_off_begins_anew_and_counts_its_crashes(session: Session, editor: User) -> None:
    rows = import_check.CHUNK_ROWS + 1  # read in two turns
    found = upload(editor, "suppliers", "name,email\n" + "".join(f"S{n},bad\n" for n in range(rows)))
    job = imports.start_check(editor, found.public_id, found.mapping or {})
    die_after(claim(job.id), 1, import_check.run_check)
    assert 0 < (session.scalar(select(func.count()).select_from(ImportRowError)) or 0) < rows
    lose_worker(job.id)
    assert look_at(job.id).crashes == 1
    die_after(claim(job.id), 2, import_check.run_check)
    lose_worker(job.id)
    assert look_at(job.id).crashes == 2  # it got no further: a file that kills its worker is given up
    import_check.run_check(claim(job.id))
    assert counts(look_at(job.id)) == (0, 0, 0, rows)
    assert session.scalar(select(func.count()).select_from(ImportRowError)) == rows


def test_a_check_is_cancelled_at_a_boundary(session: Session, editor: User) -> None:
    found = upload(editor, "suppliers", "name,email\n" + "".join(f"S{n},bad\n" for n in range(3000)))
    job = imports.start_check(editor, found.public_id, found.mapping or {})
    run = claim(job.id)
    jobs.cancel_job(editor, job.task_id)
    run.beat()
    with pytest.raises(Exception, match=job.task_id):
        import_check.run_check(run)
    assert reload_import(found).state == "inspected"


def test_what_was_applied_is_not_checked_again(session: Session, editor: User) -> None:
    found = upload(editor, "brands", "name\nAcme\n")
    apply(editor, found)
    with pytest.raises(Conflict, match="already started"):
        imports.start_check(editor, found.public_id, {"name": "name"})


def test_an_import_needs_its_check(session: Session, editor: User) -> None:
    found = upload(editor, "brands", "name\nAcme\n")
    with pytest.raises(Conflict, match="Check the file first"):
        imports.start_import(editor, found.public_id)


def test_the_same_file_is_known_and_wants_a_confirmation(
    session: Session, editor: User, stranger: User
) -> None:
    stock_up("A", quantity=10)
    text = "product,quantity\nA,2\n"
    first = upload(editor, "outflows", text)
    apply(editor, first)
    again = check(stranger, upload(stranger, "outflows", text, "other-name.csv"))
    same = imports.find_same_file(again)
    assert same is not None
    assert (same.id, same.user and same.user.email, same.applied_at is not None) == (
        first.id,
        editor.email,
        True,
    )
    with pytest.raises(Invalid, match=f"already imported on .* by {editor.email}") as refused:
        imports.start_import(stranger, again.public_id)
    assert list(refused.value.problems) == ["confirm"]
    assert reload_import(again).state == "checked"
    imports.start_import(stranger, again.public_id, confirm_repeat=True)


def test_another_file_or_another_kind_of_record_is_no_repeat(session: Session, editor: User) -> None:
    bring_in(editor, "brands", "name\nAcme\n")
    for resource, text in (("brands", "name\nBolt\n"), ("categories", "name\nAcme\n")):
        assert imports.find_same_file(upload(editor, resource, text)) is None


def test_a_file_whose_import_was_taken_back_is_no_repeat(session: Session, editor: User) -> None:
    found = upload(editor, "brands", "name\nAcme\n")
    apply(editor, found)
    undo(editor, found)
    assert imports.find_same_file(upload(editor, "brands", "name\nAcme\n")) is None


def test_dates_that_can_be_read_in_two_ways_are_asked_about(session: Session, editor: User) -> None:
    stock_up("A", quantity=10)
    found = upload(editor, "outflows", "reference,product,quantity,occurred_at\nS-1,A,1,03/04/2026\n")
    with pytest.raises(Invalid, match="nothing tells the day from the month") as refused:
        imports.start_check(editor, found.public_id, found.mapping or {})
    assert list(refused.value.problems) == ["date_order"]
    without = {name: rule for name, rule in (found.mapping or {}).items() if name != "occurred_at"}
    assert report_of(check(editor, found, without))["counts"]["created"] == 1


@pytest.mark.parametrize(
    "answer", [{"date_order": "mdy"}, {"date_orders": {"occurred_at": "mdy"}}], ids=["file", "column"]
)
def test_an_answer_about_dates_is_kept_and_used(
    session: Session, editor: User, answer: dict[str, Any]
) -> None:
    stock_up("A", quantity=10)
    found = upload(editor, "outflows", "reference,product,quantity,occurred_at\nS-1,A,1,03/04/2026\n")
    imports.read_again(editor, found.public_id, answer)
    assert reload_import(found).state == "uploaded"
    assert counts(apply_again(editor, found)) == (1, 0, 0, 0)
    assert session.scalars(select(Outflow.occurred_at)).one().strftime("%m-%d") == "03-04"


def apply_again(editor: User, found: DataImport) -> Any:
    drain_queue()
    return apply(editor, reload_import(found))


def test_a_file_is_read_again_as_a_person_says(session: Session, editor: User) -> None:
    found = upload(editor, "brands", "Our brands;2026\nname;description\nAcme;x\n")
    imports.read_again(editor, found.public_id, {"header_line": 2, "delimiter": ";"})
    job = apply_again(editor, found)
    again = reload_import(found)
    assert counts(job) == (1, 0, 0, 0)
    assert again.overrides == {"header_line": 2, "delimiter": ";"}
    assert (again.dialect or {})["header_line"] == 2


@pytest.mark.parametrize(
    "overrides",
    [{"header_line": 0}, {"decimal": ";"}, {"date_order": "ydm"}, {"date_orders": {"x": "?"}}, {"colour": 1}],
)
def test_a_decision_that_cannot_be_is_refused(
    session: Session, editor: User, overrides: dict[str, Any]
) -> None:
    found = upload(editor, "brands", "name\nAcme\n")
    with pytest.raises(Invalid, match="is not a choice"):
        imports.read_again(editor, found.public_id, overrides)


def test_reading_again_by_an_unknown_encoding_fails_with_a_sentence_and_can_be_repaired(
    session: Session, editor: User
) -> None:
    found = upload(editor, "brands", "name\nAcme\n")
    imports.read_again(editor, found.public_id, {"encoding": "klingon"})
    drain_queue()
    assert job_of(found).status == "failed"
    assert job_of(found).failure_kind == "bad_input"
    imports.read_again(editor, found.public_id, {})
    assert counts(apply_again(editor, found)) == (1, 0, 0, 0)


def test_codes_that_a_spreadsheet_has_shortened_are_reported_and_not_stored(
    session: Session, editor: User
) -> None:
    save("categories", {"name": "Tools"})
    text = 'serial_number,title,category,cost_price,sell_price\n"7,89123E+12",x,Tools,1,2\n'
    found = check(editor, upload(editor, "products", text))
    report = report_of(found)
    assert report["counts"] == {"created": 0, "updated": 0, "unchanged": 0, "failed": 1}
    assert "digits are lost" in report["errors"][0]["message"]
    assert any("shortened" in notice["message"] for notice in (found.dialect or {})["notices"])
    apply(editor, found)
    assert session.scalar(select(func.count()).select_from(Product)) == 0


def test_an_empty_cell_clears_a_value_by_choice(session: Session, editor: User) -> None:
    save("suppliers", {"name": "Northern", "phone": "1"})
    text = "name,phone\nNorthern,\n"
    assert check_text(editor, "suppliers", text)["counts"]["unchanged"] == 1
    report = check_text(editor, "suppliers", text, empty="clear")
    assert report["samples"][0]["changes"] == [{"field": "phone", "before": "1", "after": None}]


def test_a_reference_to_products_is_never_created_on_the_way(session: Session, editor: User) -> None:
    found = upload(editor, "outflows", "reference,product,quantity\nS-1,A,1\n")
    with pytest.raises(Invalid, match="create_missing"):
        imports.start_check(editor, found.public_id, found.mapping or {}, {"create_missing": ["product"]})


def test_a_column_is_remembered_for_the_next_file_of_the_same_user(
    session: Session, editor: User, stranger: User
) -> None:
    text = "Ref. fornecedor,Nome\nx,Acme\n"
    first = upload(editor, "brands", text)
    check(editor, first, {"name": "Nome", "description": {"column": "Ref. fornecedor", "values": {"x": "y"}}})
    again = upload(editor, "brands", text)
    assert (again.mapping or {})["description"] == {
        "column": "Ref. fornecedor",
        "default": "",
        "values": {"x": "y"},
    }
    assert (again.report or {})["suggestions"]["description"] == "remembered"
    other = upload(stranger, "brands", text)
    assert "description" not in (other.mapping or {})


@pytest.mark.slow
def test_a_file_that_was_applied_in_part_is_known_too(session: Session, editor: User) -> None:
    stock_up("A", quantity=2000)
    text = "product,quantity\n" + "A,1\n" * 900
    job = start(editor, upload(editor, "outflows", text))
    die_after(claim(job.id), 1, import_apply.run_import)
    jobs.cancel_job(editor, job.task_id)
    lose_worker(job.id)
    again = check(editor, upload(editor, "outflows", text))
    with pytest.raises(Invalid, match="already imported"):
        imports.start_import(editor, again.public_id)
