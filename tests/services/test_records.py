"""Saving records: created, updated, unchanged, refused; references, stock, signals, changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from tests.support.databases import counted_queries, on_both_databases
from tests.support.factories import (
    actions,
    complaints,
    heard_signals,
    make_rows,
    product,
    quantity_of,
    save,
    stock_up,
)
from tests.support.houses import MakeApp
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Brand, Category, Change, Inflow, Outflow, Product, ProductModel, Supplier, User
from webapp.resources.registry import get_resource
from webapp.resources.types import Problem
from webapp.services import stock
from webapp.services.records import SaveContext, allocate_ids, save_rows

pytestmark = on_both_databases


def test_a_new_key_is_created_and_a_known_one_updated(session: Session) -> None:
    assert actions(save("brands", {"name": "Acme"})) == ["created"]
    assert actions(save("brands", {"name": "Acme", "description": "Anvils"})) == ["updated"]
    brand = session.scalars(select(Brand)).one()
    assert (brand.name, brand.description, brand.version) == ("Acme", "Anvils", 2)


def test_a_row_that_changes_nothing_is_unchanged_and_leaves_no_trace(session: Session) -> None:
    save("brands", {"name": "Acme", "description": "Anvils"})
    changes = session.scalar(select(func.count()).select_from(Change))
    assert (
        actions(save("brands", {"name": "Acme"}, {"name": "Acme", "description": "Anvils"}))
        == ["unchanged"] * 2
    )
    assert session.scalar(select(func.count()).select_from(Change)) == changes
    assert session.scalars(select(Brand)).one().version == 1


def test_a_column_beside_the_record_gets_into_no_record(session: Session) -> None:
    """The brand tells models apart; a product has no such column."""
    save("categories", {"name": "Tools"})
    save("brands", {"name": "Acme"})
    save("product_models", {"brand": "Acme", "name": "X-1"})
    (made,) = save("products", product("A", product_model="X-1", brand="Acme"))
    assert made.after.keys() == {item.column for item in get_resource("products").writable_fields}


def test_keys_match_whatever_their_case_and_composition(session: Session) -> None:
    save("categories", {"name": "Café"})
    assert actions(save("categories", {"name": "CAFE\u0301", "description": "hot"})) == ["updated"]
    category = session.scalars(select(Category)).one()
    assert (category.name_key, category.search_text) == ("café", "cafe")


def test_the_same_key_twice_in_a_batch_is_created_and_then_updated(session: Session) -> None:
    made = save("brands", {"name": "Acme"}, {"name": "ACME", "description": "Anvils"}, {"name": "Bolt"})
    assert actions(made) == ["created", "updated", "created"]
    assert session.scalars(select(Brand.description).order_by(Brand.id)).all() == ["Anvils", None]


def test_a_field_that_the_file_does_not_give_keeps_its_value(session: Session) -> None:
    save("suppliers", {"name": "Northern", "email": "a@b.example", "phone": "1"})
    save("suppliers", {"name": "Northern", "phone": "2"})
    supplier = session.scalars(select(Supplier)).one()
    assert (supplier.email, supplier.phone) == ("a@b.example", "2")


@pytest.mark.parametrize(
    ("mode", "name", "expected"),
    [
        ("create", "New", "created"),
        ("create", "Acme", "failed"),
        ("update", "New", "failed"),
        ("update", "Acme", "updated"),
        ("upsert", "New", "created"),
        ("upsert", "Acme", "updated"),
    ],
)
def test_the_mode_says_which_rows_are_welcome(session: Session, mode: str, name: str, expected: str) -> None:
    save("brands", {"name": "Acme"})
    assert actions(save("brands", {"name": name, "description": "!"}, mode=mode)) == [expected]


def test_a_missing_required_field_is_named(session: Session) -> None:
    save("categories", {"name": "Tools"})
    incomplete = product("A")
    del incomplete["title"], incomplete["sell_price"]
    made = save("products", incomplete)
    assert [str(item.problem).split(".")[0] for item in made[0].row.problems] == [
        "Title is missing",
        "Sell price is missing",
    ]
    assert session.scalar(select(func.count()).select_from(Product)) == 0


def test_a_bad_row_does_not_take_its_neighbours_with_it(session: Session) -> None:
    stock_up("A", "B", quantity=5)
    made = save(
        "outflows",
        {"reference": "1", "product": "A", "quantity": 2},
        {"reference": "2", "product": "nobody", "quantity": 2},
        {"reference": "3", "product": "B", "quantity": 5},
    )
    assert actions(made) == ["created", "failed", "created"]
    assert (quantity_of("A"), quantity_of("B")) == (3, 0)


def test_a_reference_that_is_not_there_is_named_with_its_kind(session: Session) -> None:
    made = save("products", product("A", category="Toys"))
    assert complaints(made) == ["There is no Category “Toys”. Create it first, or correct the name."]


def test_a_reference_is_found_whatever_its_case(session: Session) -> None:
    save("categories", {"name": "Garden Tools"})
    save("products", product("A", category="GARDEN tools"))
    found = session.scalars(select(Product)).one()
    assert found.category.name == "Garden Tools"


def test_equal_models_of_two_brands_are_told_apart_by_the_brand(session: Session) -> None:
    save("categories", {"name": "Tools"})
    save("brands", {"name": "Acme"}, {"name": "Bolt"})
    assert (
        actions(save("product_models", *({"brand": b, "name": "X-1"} for b in ("Acme", "Bolt"))))
        == ["created"] * 2
    )
    made = save(
        "products", product("A", product_model="X-1"), product("B", product_model="x-1", brand="BOLT")
    )
    assert actions(made) == ["failed", "created"]
    assert complaints(made) == ["There is more than one Model “X-1”. Say which one with the column “brand”."]
    found = session.scalars(
        select(ProductModel).join(Product, Product.product_model_id == ProductModel.id)
    ).one()
    assert found.brand.name == "Bolt"


def test_a_model_of_another_brand_is_not_found(session: Session) -> None:
    save("categories", {"name": "Tools"})
    save("brands", {"name": "Acme"}, {"name": "Bolt"})
    save("product_models", {"brand": "Acme", "name": "X-1"})
    made = save("products", product("A", product_model="X-1", brand="Bolt"))
    assert complaints(made) == ["There is no Model “X-1”. Create it first, or correct the name."]


def test_a_new_products_quantity_comes_in_as_an_opening(session: Session) -> None:
    stock_up("A", quantity=7)
    opening = session.scalars(select(Inflow)).one()
    assert (opening.kind, opening.quantity, opening.unit_cost) == ("opening", 7, Decimal("2.50"))
    assert quantity_of("A") == 7


def test_a_products_quantity_is_not_edited_in_a_file(session: Session) -> None:
    stock_up("A", quantity=7)
    made = save("products", product("A", quantity=9), product("A", quantity=7, title="New"))
    assert actions(made) == ["failed", "updated"]
    assert complaints(made)[0].startswith("The stock is 7, the file says 9.")
    assert quantity_of("A") == 7


def test_stock_does_not_go_below_zero_and_the_row_says_how_many_were_left(session: Session) -> None:
    stock_up("A", quantity=5)
    made = save("outflows", *({"reference": str(n), "product": "A", "quantity": 2} for n in range(4)))
    assert actions(made) == ["created", "created", "failed", "failed"]
    assert complaints(made)[0].startswith("Only 1 of A are left, 2 are asked for.")
    assert quantity_of("A") == 1


def test_stock_may_go_below_zero_where_the_house_allows_it(make_app: MakeApp) -> None:
    with make_app(ALLOW_NEGATIVE_STOCK="1").app_context():
        stock_up("A", quantity=1)
        assert actions(save("outflows", {"reference": "1", "product": "A", "quantity": 3})) == ["created"]
        assert quantity_of("A") == -2


def test_an_edited_movement_moves_the_difference_only(session: Session) -> None:
    stock_up("A", quantity=10)
    save("outflows", {"reference": "1", "product": "A", "quantity": 4})
    assert actions(save("outflows", {"reference": "1", "product": "A", "quantity": 6})) == ["updated"]
    assert quantity_of("A") == 4


def test_a_movement_takes_price_cost_kind_and_date_from_its_product_and_now(session: Session) -> None:
    stock_up("A", quantity=10)
    save("outflows", {"reference": "1", "product": "A", "quantity": 1})
    sold = session.scalars(select(Outflow)).one()
    assert (sold.unit_price, sold.unit_cost, sold.kind) == (Decimal("4.90"), Decimal("2.50"), "sale")
    assert sold.occurred_at.tzinfo is UTC


def test_an_old_sale_keeps_its_price_when_the_products_changes(session: Session) -> None:
    stock_up("A", quantity=10)
    save("outflows", {"reference": "1", "product": "A", "quantity": 1})
    save("products", product("A", sell_price=Decimal(9)))
    save("outflows", {"reference": "2", "product": "A", "quantity": 1})
    prices = session.scalars(select(Outflow.unit_price).order_by(Outflow.id)).all()
    assert prices == [Decimal("4.90"), Decimal(9)]


def test_a_movement_without_a_reference_gets_one_of_its_own(session: Session) -> None:
    stock_up("A", quantity=10)
    save("inflows", {"product": "A", "quantity": 1}, {"product": "A", "quantity": 1})
    save("outflows", {"product": "A", "quantity": 1})
    found = session.execute(select(Inflow.id, Inflow.reference).where(Inflow.kind == "purchase")).all()
    assert [row.reference for row in found] == [f"IN-{row.id}" for row in found]
    outflow = session.scalars(select(Outflow)).one()
    assert outflow.reference == f"OUT-{outflow.id}"


def test_the_same_movement_twice_in_a_file_names_the_earlier_line(session: Session) -> None:
    stock_up("A", quantity=10)
    row = {"reference": "1", "product": "A", "quantity": 1}
    made = save("outflows", row, row | {"product": "a"}, job_id=77)
    assert actions(made) == ["created", "failed"]
    assert complaints(made)[0].startswith("The same reference and product stand on line 2.")
    assert quantity_of("A") == 9


def test_the_same_movement_from_two_files_is_one_movement(session: Session) -> None:
    stock_up("A", quantity=10)
    row = {"reference": "1", "product": "A", "quantity": 1}
    save("outflows", row, job_id=77)
    assert actions(save("outflows", row, job_id=78)) == ["unchanged"]
    assert quantity_of("A") == 9


def test_signals_come_once_a_row_in_file_order_with_before_and_after(session: Session) -> None:
    stock_up("A", "B", quantity=10)
    save("outflows", {"reference": "1", "product": "A", "quantity": 1})
    with heard_signals() as heard:
        save(
            "outflows",
            {"reference": "2", "product": "B", "quantity": 3},
            {"reference": "1", "product": "A", "quantity": 5},
            {"reference": "3", "product": "nobody", "quantity": 1},
            {"reference": "4", "product": "A", "quantity": 1},
        )
    assert [(name, carried["line"]) for name, _, carried in heard] == [
        ("record_saved", 2),
        ("stock_moved", 2),
        ("record_saved", 3),
        ("stock_moved", 3),
        ("record_saved", 5),
        ("stock_moved", 5),
    ]
    moved = [carried for name, _, carried in heard if name == "stock_moved"]
    assert [(item["delta"], item["before"], item["after"]) for item in moved] == [
        (-3, 10, 7),
        (-4, 9, 5),
        (-1, 5, 4),
    ]
    saved = [carried for name, _, carried in heard if name == "record_saved"]
    assert [(item["action"], (item["before"] or {}).get("quantity")) for item in saved] == [
        ("created", None),
        ("updated", 1),
        ("created", None),
    ]


def test_a_signal_finds_its_row_already_in_the_database(session: Session) -> None:
    found: list[str | None] = []
    with heard_signals() as heard:
        save("brands", {"name": "Acme"})
        found += [session.scalar(select(Brand.name).where(Brand.id == heard[0][2]["record_id"]))]
    assert found == ["Acme"]


def test_an_opening_sends_the_signals_of_its_movement(session: Session) -> None:
    save("categories", {"name": "Tools"})
    with heard_signals() as heard:
        save("products", product("A", quantity=4), product("B"))
    assert [(name, sender) for name, sender, _ in heard if name == "stock_moved"] == [
        ("stock_moved", "inflows")
    ]
    assert [sender for name, sender, _ in heard if name == "record_saved"].count("products") == 2


def test_every_change_is_written_with_its_actor_source_job_and_line(session: Session, editor: User) -> None:
    save("brands", {"name": "Acme"}, actor_id=editor.id, source="import", job_id=9)
    save("brands", {"name": "Acme", "description": "Anvils"}, actor_id=editor.id, source="form")
    created, updated = session.scalars(select(Change).order_by(Change.id)).all()
    assert (created.action, created.actor_id, created.source, created.job_id, created.line) == (
        "created",
        editor.id,
        "import",
        9,
        2,
    )
    assert (created.before, created.after) == (None, {"name": "Acme"})
    assert (updated.action, updated.before, updated.after) == ("updated", {}, {"description": "Anvils"})


def test_a_change_keeps_every_digit_of_money(session: Session) -> None:
    save("categories", {"name": "Tools"})
    save("products", product("A", cost_price=Decimal("0.0001")))
    after = session.scalars(select(Change.after).where(Change.resource == "products")).one()
    assert after is not None
    assert Decimal(after["cost_price"]) == Decimal("0.0001")


def test_a_dry_run_says_the_same_and_writes_nothing(session: Session) -> None:
    stock_up("A", quantity=5)
    rows = [{"reference": str(n), "product": "A", "quantity": 2} for n in range(4)]
    with heard_signals() as heard:
        dry = save_rows(
            session, get_resource("outflows"), make_rows(*rows), SaveContext(None, "test", is_dry=True)
        )
    session.rollback()
    assert actions(dry) == ["created", "created", "failed", "failed"]
    assert (heard, quantity_of("A")) == ([], 5)
    assert actions(save("outflows", *rows)) == actions(dry)


def test_a_row_that_the_database_refuses_is_found_by_halving_before_any_signal(session: Session) -> None:
    names = [f"Brand {number}" for number in range(9)]
    names[5] = REFUSED
    with refused_by_the_database("brand", "name"), heard_signals() as heard:
        made = save("brands", *({"name": name} for name in names))
    assert actions(made) == [*["created"] * 5, "failed", *["created"] * 3]
    assert complaints(made)[0].startswith("The database refused the row:")
    assert [carried["line"] for _, _, carried in heard] == [2, 3, 4, 5, 6, 8, 9, 10]
    assert session.scalar(select(func.count()).select_from(Brand)) == 8


def test_a_row_is_weighed_anew_when_the_one_before_it_was_refused(session: Session) -> None:
    stock_up("A", quantity=5)
    rows = [{"reference": reference, "product": "A", "quantity": 5} for reference in (REFUSED, "2")]
    with refused_by_the_database("outflow", "reference"):
        made = save("outflows", *rows)
    assert (actions(made), quantity_of("A")) == (["failed", "created"], 0)


REFUSED = "x" * 300  # too long for PostgreSQL; SQLite minds no length, so there a trigger does


@contextmanager
def refused_by_the_database(table: str, column: str) -> Iterator[None]:
    """Make the database itself refuse a row, as no check of ours would."""
    if db.engine.dialect.name == "postgresql":
        yield
        return
    trigger = (
        f"CREATE TRIGGER refuse BEFORE INSERT ON {table} WHEN length(new.{column}) > 255"
        " BEGIN SELECT RAISE(ABORT, 'too long'); END"
    )
    with write_transaction() as session:
        session.execute(text(trigger))
    yield
    with write_transaction() as session:
        session.execute(text("DROP TRIGGER refuse"))


def test_a_rejected_batch_takes_its_stock_back(session: Session) -> None:
    stock_up("A", quantity=5)
    with pytest.raises(RuntimeError), write_transaction() as writing:
        rows = make_rows({"reference": "1", "product": "A", "quantity": 2})
        save_rows(writing, get_resource("outflows"), rows, SaveContext(None, "test"))
        raise RuntimeError
    assert quantity_of("A") == 5
    assert session.scalar(select(func.count()).select_from(Outflow)) == 0


def test_a_batch_takes_few_statements_however_long_it_is(session: Session) -> None:
    stock_up(*"ABCDEFGH", quantity=1000)
    few, many = (_count_statements(count) for count in (5, 200))
    assert many <= few + 3  # not a statement a row


def _count_statements(rows: int) -> int:
    counted: list[str] = []

    def count(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        counted.append(statement)

    event.listen(db.engine, "before_cursor_execute", count)
    values = [{"reference": f"{rows}-{n}", "product": "ABCDEFGH"[n % 8], "quantity": 1} for n in range(rows)]
    save("outflows", *values)
    event.remove(db.engine, "before_cursor_execute", count)
    return len(counted)


def test_an_update_writes_what_changes_in_one_of_its_rows(session: Session) -> None:
    stock_up("A", "B")
    with counted_queries() as asked:
        save("products", product("A", sell_price=Decimal(9)), product("b", title="Other"))
    (written,) = [statement for statement in asked if statement.startswith("UPDATE product SET")]
    columns = [column.name for column in Product.__table__.columns if f" {column.name} = " in written]
    assert set(columns) - {"id"} == {
        "serial_number",
        "title",
        "sell_price",
        "search_text",
        "version",
        "updated_at",
    }
    rows = session.execute(select(Product.serial_number, Product.title, Product.sell_price))
    assert set(rows.all()) == {("A", "Product A", Decimal(9)), ("b", "Other", Decimal("4.90"))}


def test_ids_are_not_given_twice(session: Session) -> None:
    with write_transaction() as writing:
        taken = list(allocate_ids(writing, "brand", 3))
    save("brands", {"name": "Acme"})
    assert len(set(taken)) == 3
    if session.get_bind().dialect.name == "postgresql":  # taken from the sequence for good
        assert session.scalars(select(Brand.id)).one() not in taken


def test_every_movement_comes_through_the_stock(session: Session) -> None:
    stock_up("A", quantity=3)
    with write_transaction() as writing:
        writing.execute(text("UPDATE product SET quantity = 4"))
    assert [row[1:] for row in stock.verify_stock()] == [("A", 4, 3)]
    with write_transaction() as writing:
        writing.execute(text("UPDATE product SET quantity = 3"))
    assert stock.verify_stock() == []


MOVEMENT = st.fixed_dictionaries(
    {
        "reference": st.sampled_from(["", "1", "2", "3"]),
        "product": st.sampled_from(["A", "B", "b", "nobody"]),
        "quantity": st.integers(1, 6),
    }
)
BATCH = st.tuples(st.sampled_from(["inflows", "outflows"]), st.lists(MOVEMENT, min_size=1, max_size=6))


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(BATCH, max_size=5))
def test_any_sequence_of_batches_leaves_quantity_equal_to_the_sum(
    app: Flask, batches: list[tuple[str, list[dict[str, Any]]]]
) -> None:
    with app.app_context():
        stock_up("A", "B", quantity=4) if not _is_stocked() else None
        start = (quantity_of("A"), quantity_of("B"))
        moved = {"A": 0, "B": 0}
        with heard_signals() as heard:
            for resource, rows in batches:
                save(resource, *({name: value for name, value in row.items() if value != ""} for row in rows))
        for name, _, carried in heard:
            if name == "stock_moved":
                moved[_serial(carried["product_id"])] += carried["delta"]
        assert stock.verify_stock() == []
        assert (quantity_of("A"), quantity_of("B")) == (start[0] + moved["A"], start[1] + moved["B"])
        assert min(quantity_of("A"), quantity_of("B")) >= 0


def _is_stocked() -> bool:
    return db.session.scalar(select(Product.id).limit(1)) is not None


def _serial(product_id: int) -> str:
    return db.session.get_one(Product, product_id).serial_number


def test_a_movement_keeps_the_moment_that_it_was_given(session: Session) -> None:
    stock_up("A", quantity=3)
    moment = datetime(2026, 1, 31, 14, 30, 5, tzinfo=UTC)
    save("inflows", {"reference": "1", "product": "A", "quantity": 1, "occurred_at": moment})
    assert session.scalars(select(Inflow.occurred_at).where(Inflow.reference == "1")).one() == moment


def test_a_ledger_refuses_what_is_not_there(session: Session) -> None:
    stock_up("A", quantity=3)
    with write_transaction() as writing:
        product_id = writing.scalars(select(Product.id)).one()
        ledger = stock.StockLedger()
        ledger.load(writing, [product_id])
        assert ledger.move(product_id, -3) == (3, 0)
        with pytest.raises(Problem, match="Only 0 of A are left"):
            ledger.move(product_id, -1)
