"""Stock counts: differences become corrections, which are no sales, computed while the product is locked."""

from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import quantity_of, save, stock_up
from tests.support.houses import drain_queue
from tests.support.imports import apply, bring_in, check, counts, job_of, reload_import, undo, upload
from tests.support.jobs import claim, die_after, look_at, lose_worker
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Change, ImportRowError, Inflow, Outflow, Product, User
from webapp.resources.stock_counts import STOCK_COUNTS
from webapp.services import import_apply, imports, stock
from webapp.services.import_templates import build_template
from webapp.services.metrics_raw import get_sales_metrics_raw

pytestmark = [on_both_databases, pytest.mark.slow]


def movements() -> list[tuple[str, int, str, str | None]]:
    """The corrections of the stock: reference, pieces in or out, kind and reason."""
    db.session.rollback()
    found = []
    directions: list[tuple[Any, int]] = [(Inflow, 1), (Outflow, -1)]
    for model, sign in directions:
        query = select(model).where(model.kind == "adjustment").order_by(model.id)
        found += [
            (item.reference, sign * item.quantity, item.kind, item.reason)
            for item in db.session.scalars(query)
        ]
    return found


def test_a_file_sets_the_stock_right_by_corrections(session: Session, editor: User) -> None:
    stock_up("A", "B", "C", quantity=10)
    job = bring_in(editor, "stock_counts", "product,counted,reason\nA,7,Broken\nB,10,\nC,12,\n")
    assert (job.status, counts(job)) == ("completed", (0, 2, 1, 0))
    assert [quantity_of(name) for name in "ABC"] == [7, 10, 12]
    reference = f"COUNT-{job.data_import_id}"
    assert movements() == [
        (reference, 2, "adjustment", "Stock count"),
        (reference, -3, "adjustment", "Broken"),
    ]
    query = select(Change.resource, Change.source, Change.line).where(Change.job_id == job.id)
    assert set(session.execute(query).all()) == {("inflows", "import", 4), ("outflows", "import", 2)}


def test_the_check_shows_the_differences_and_writes_nothing(session: Session, editor: User) -> None:
    stock_up("A", "B", "C", quantity=10)
    found = check(editor, upload(editor, "stock_counts", "sku,contagem\nA,7\nB,10\nC,12\n"))
    report = (found.report or {})["check"]
    assert report["counts"] == {"created": 0, "updated": 2, "unchanged": 1, "failed": 0}
    assert (report["stock"]["pieces_in"], report["stock"]["pieces_out"]) == (2, 3)
    effect = {item["serial_number"]: (item["before"], item["after"]) for item in report["stock"]["products"]}
    assert {name: effect[name] for name in ("A", "C")} == {"A": (10, 7), "C": (10, 12)}
    changes = [(item["key"], item["changes"]) for item in report["samples"]]
    assert changes[0] == ("A", [{"field": "counted", "before": "10", "after": "7"}])
    assert (quantity_of("A"), movements()) == (10, [])


def test_what_was_counted_twice_is_an_error_by_its_line(session: Session, editor: User) -> None:
    stock_up("A", "B", quantity=10)
    given = upload(editor, "stock_counts", "product,counted\nA,7\nB,9\na,8\nnobody,1\n,3\nB,-1\nB,\n")
    checked = (check(editor, given).report or {})["check"]
    assert checked["counts"] == {"created": 0, "updated": 2, "unchanged": 0, "failed": 5}
    job = apply(editor, given)
    assert counts(job) == (0, 2, 0, 5)
    query = select(ImportRowError.line, ImportRowError.message, ImportRowError.params)
    found = {line: message % params for line, message, params in session.execute(query)}
    assert found[4] == "This product was counted on line 2 already."
    assert sorted(found) == [4, 5, 6, 7, 8]
    assert (quantity_of("A"), quantity_of("B")) == (7, 9)


def test_the_difference_is_that_of_the_moment_in_which_it_is_saved(session: Session, editor: User) -> None:
    stock_up("A", quantity=10)
    given = check(editor, upload(editor, "stock_counts", "product,counted\nA,9\n"))
    save("outflows", {"product": "A", "quantity": 4})
    apply(editor, given)
    assert (quantity_of("A"), movements()[0][1]) == (9, 3)


def test_a_count_can_be_taken_back(session: Session, editor: User) -> None:
    stock_up("A", "B", "C", quantity=10)
    given = upload(editor, "stock_counts", "product,counted\nA,7\nB,0\nC,12\n")
    apply(editor, given)
    save("outflows", {"product": "C", "quantity": 11})
    undo(editor, given)
    assert [quantity_of(name) for name in "ABC"] == [10, 10, 1]
    assert [item[1] for item in movements()] == [2], "what C needs stays"
    assert reload_import(given).state == "undone"


def test_a_count_that_was_killed_goes_on_and_counts_nothing_twice(session: Session, editor: User) -> None:
    names = [f"N-{place:04}" for place in range(900)]
    stock_up(*names, quantity=5)
    lines = [f"{name},{place % 11}\n" for place, name in enumerate(names)]
    given = upload(editor, "stock_counts", "product,counted\n" + "".join(lines) + "N-0000,9\n")
    check(editor, given)
    job = imports.start_import(editor, given.public_id)
    run = claim(job.id)
    die_after(run, 2, import_apply.run_import)
    done = look_at(job.id).processed
    assert 0 < done < len(names)
    lose_worker(job.id)
    drain_queue()
    ended = job_of(given)
    assert (ended.status, ended.processed, ended.failed) == ("completed", 901, 1)
    assert [quantity_of(name) for name in names[:12]] == [*range(11), 0]
    assert len(movements()) == sum(place % 11 != 5 for place in range(900))
    assert stock.verify_stock() == []


def test_only_all_or_none(session: Session, editor: User) -> None:
    stock_up("A", quantity=10)
    given = check(editor, upload(editor, "stock_counts", "product,counted\nA,7\nB,1\n"), on_error="abort")
    assert (given.report or {})["check"]["counts"]["failed"] == 1
    save(
        "products",
        {"serial_number": "B", "title": "B", "category": "Tools", "cost_price": 1, "sell_price": 1},
    )
    given = check(editor, given, on_error="abort")
    with write_transaction() as writing:
        writing.execute(delete(Product).where(Product.serial_number == "B"))
    apply_again = imports.start_import(editor, given.public_id)
    drain_queue()
    assert look_at(apply_again.id).status == "failed"
    assert (quantity_of("A"), movements()) == (10, [])


def test_corrections_are_no_sales(session: Session, editor: User) -> None:
    stock_up("A", quantity=10)
    before: Any = get_sales_metrics_raw()
    bring_in(editor, "stock_counts", "product,counted\nA,7\n")
    assert get_sales_metrics_raw() == before


def test_the_template_comes_back_and_its_example_is_left_out(session: Session, editor: User) -> None:
    stock_up("A", quantity=10)
    name, data = build_template(STOCK_COUNTS, "csv", "en")
    assert name == "stock_counts-template.csv"
    text = data.decode("utf-8-sig")
    assert text.splitlines()[0] == "product,counted,reason"
    job = bring_in(editor, "stock_counts", text + "A,11,\r\n")
    assert counts(job) == (0, 1, 0, 0)
