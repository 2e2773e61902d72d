"""What a file's rows may do beside saving themselves: clear, add up, create what they name."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select
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
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Brand, Category, Change, Inflow, Outflow, Product, ProductModel, Supplier
from webapp.pipeline.check import CheckedRow
from webapp.resources.registry import get_resource
from webapp.services import record_references
from webapp.services.records import Plan, SaveContext, save_rows
from webapp.services.stock import StockLedger

pytestmark = on_both_databases


def try_out(resource: str, *values: dict[str, Any], **options: Any) -> tuple[list[Plan], SaveContext]:
    """Check rows, two to a batch, and write nothing."""
    context = SaveContext(None, "test", job_id=1, is_dry=True, ledger=StockLedger(is_dry=True), **options)
    rows = make_rows(*values)
    plans: list[Plan] = []
    for start in range(0, len(rows), 2):
        plans += save_rows(db.session(), get_resource(resource), rows[start : start + 2], context)
    db.session.rollback()
    return plans, context


def save_mapped(resource: str, columns: tuple[str, ...], values: dict[str, Any], **options: Any) -> Plan:
    """Save one row of a file that has these columns, empty where there is no value."""
    row = CheckedRow(2, dict(values), columns={name: name for name in columns})
    return save_raw(resource, [row], **options)[0]


def save_raw(resource: str, rows: list[CheckedRow], **options: Any) -> list[Plan]:
    with write_transaction() as session:
        return save_rows(session, get_resource(resource), rows, SaveContext(None, "test", **options))


SUPPLIER_COLUMNS = ("name", "email", "phone")


@pytest.mark.parametrize(("empty", "phone"), [("keep", "1"), ("clear", None)])
def test_an_empty_cell_keeps_the_value_or_clears_it(session: Session, empty: str, phone: str | None) -> None:
    save("suppliers", {"name": "Northern", "phone": "1", "description": "old"})
    made = save_mapped(
        "suppliers", SUPPLIER_COLUMNS, {"name": "Northern", "email": "a@b.example"}, empty=empty
    )
    found = session.scalars(select(Supplier)).one()
    assert (made.action, found.email, found.phone) == ("updated", "a@b.example", phone)
    assert found.description == "old"  # the file has no such column


def test_clearing_what_is_empty_changes_nothing(session: Session) -> None:
    save("suppliers", {"name": "Northern"})
    assert (
        save_mapped("suppliers", SUPPLIER_COLUMNS, {"name": "Northern"}, empty="clear").action == "unchanged"
    )


def test_what_is_required_cannot_be_cleared(session: Session) -> None:
    stock_up("A", quantity=3)
    made = save_mapped("products", ("serial_number", "title"), {"serial_number": "A"}, empty="clear")
    assert (made.action, complaints([made])) == (
        "failed",
        ["Title is missing. Fill it in, or set a default for the column."],
    )


def test_a_reference_is_cleared_a_level_goes_to_zero_and_the_stock_stays(session: Session) -> None:
    save("brands", {"name": "Acme"})
    save("product_models", {"brand": "Acme", "name": "X-1"})
    save("categories", {"name": "Tools"})
    save("products", product("A", product_model="X-1", quantity=3, reorder_level=2))
    columns = ("serial_number", "product_model", "reorder_level", "quantity")
    assert save_mapped("products", columns, {"serial_number": "A"}, empty="clear").action == "updated"
    found = session.scalars(select(Product)).one()
    assert (found.product_model_id, found.reorder_level, found.quantity) == (None, 0, 3)


def test_the_same_movement_twice_is_added_up_on_demand(session: Session) -> None:
    stock_up("A", quantity=10)
    row = {"reference": "1", "product": "A", "quantity": 2}
    made = save("outflows", row, row | {"product": "a"}, row, job_id=7, repeated="add_up")
    assert actions(made) == ["created", "updated", "updated"]
    assert session.scalars(select(Outflow.quantity)).all() == [6]
    assert [plan.quantities for plan in made] == [(10, 8), (8, 6), (6, 4)]
    assert quantity_of("A") == 4


def test_a_movement_of_an_earlier_batch_or_try_is_added_up_too(session: Session) -> None:
    stock_up("A", quantity=10)
    row = {"reference": "1", "product": "A", "quantity": 2}
    save("outflows", row, job_id=7, repeated="add_up")
    save("outflows", row, job_id=7, repeated="add_up")  # a new context: the worker was killed in between
    assert session.scalars(select(Outflow.quantity)).all() == [4]


def test_what_is_added_up_has_one_price(session: Session) -> None:
    stock_up("A", quantity=10)
    row = {"reference": "1", "product": "A", "quantity": 2, "unit_price": Decimal(4)}
    other = row | {"unit_price": Decimal(5)}
    made = save("outflows", row, other, row, job_id=7, repeated="add_up")
    assert actions(made) == ["created", "failed", "updated"]
    assert complaints(made)[0].startswith("Line 2 has the same reference and product at another price.")
    assert quantity_of("A") == 6


def test_adding_up_stops_where_the_stock_does(session: Session) -> None:
    stock_up("A", quantity=3)
    row = {"reference": "1", "product": "A", "quantity": 2}
    made = save("outflows", row, row, job_id=7, repeated="add_up")
    assert complaints(made) == [
        "Only 1 of A are left, 2 are asked for. Record what came in first, or correct the quantity."
    ]
    assert quantity_of("A") == 1


@pytest.mark.parametrize("repeated", ["error", "add_up"])
def test_a_dry_run_says_of_repeated_movements_what_a_real_one_does(session: Session, repeated: str) -> None:
    stock_up("A", "B", quantity=5)
    rows = [{"reference": str(n % 3), "product": "AB"[n % 2], "quantity": 1} for n in range(14)]
    dry, _ = try_out("outflows", *rows, repeated=repeated)
    made = save("outflows", *rows, job_id=7, repeated=repeated)
    assert actions(dry) == actions(made)
    assert complaints(dry) == complaints(made)
    assert [plan.quantities for plan in dry] == [plan.quantities for plan in made]


def test_a_dry_run_holds_what_is_added_up_to_one_price_too(session: Session) -> None:
    stock_up("A", "B", quantity=50)
    stored = {"reference": "1", "product": "A", "quantity": 2, "unit_price": Decimal(4)}
    save("outflows", stored)
    given = stored | {"unit_price": Decimal(5)}
    filled = {"reference": "2", "product": "B", "quantity": 1}  # at the product's price
    rows = [
        *[given, stored, filled, filled | {"unit_price": Decimal(7)}, given],
        *[filled, filled | {"unit_cost": Decimal(9)}, given | {"unit_price": Decimal("5.00")}],
    ]
    dry, _ = try_out("outflows", *rows, repeated="add_up")
    made = save("outflows", *rows, job_id=7, repeated="add_up")
    assert actions(dry) == actions(made)
    assert [plan.row.line for plan in dry if plan.action == "failed"] == [3, 5, 8]
    assert complaints(dry) == complaints(made)
    assert [plan.quantities for plan in dry] == [plan.quantities for plan in made]


def test_a_repeated_row_is_found_even_if_the_first_one_changed_nothing(session: Session) -> None:
    stock_up("A", quantity=10)
    row = {"reference": "1", "product": "A", "quantity": 2}
    save("outflows", row, job_id=7)
    context = SaveContext(None, "test", job_id=8)
    made = save_in(context, "outflows", row, row | {"quantity": 3})
    assert (actions(made), quantity_of("A")) == (["unchanged", "failed"], 8)


def save_in(context: SaveContext, resource: str, *values: dict[str, Any]) -> list[Plan]:
    with write_transaction() as session:
        return save_rows(session, get_resource(resource), make_rows(*values), context)


def test_a_dry_run_knows_a_record_that_stands_twice(session: Session) -> None:
    rows = [{"name": "Acme"}, {"name": "Bolt"}, {"name": "ACME", "description": "!"}]
    dry, _ = try_out("brands", *rows)
    assert actions(dry) == actions(save("brands", *rows)) == ["created", "created", "updated"]
    dry, _ = try_out("brands", {"name": "C"}, {"name": "D"}, {"name": "c"}, mode="create")
    assert actions(dry) == ["created", "created", "failed"]


ALL_OF_A_PRODUCT = frozenset({"category", "brand", "product_model"})


def test_what_rows_name_is_created_with_its_own_changes_and_signals(session: Session) -> None:
    rows = [
        product("A", category="Toys", brand="Acme", product_model="X-1"),
        product("B", category="TOYS", brand="acme", product_model="x-1"),
        product("C", category="Games", quantity=4),
    ]
    with heard_signals() as heard:
        made = save("products", *rows, job_id=7, create_missing=ALL_OF_A_PRODUCT)
    assert actions(made) == ["created"] * 3
    assert session.scalars(select(Category.name).order_by(Category.id)).all() == ["Toys", "Games"]
    model = session.scalars(select(ProductModel)).one()
    assert (model.name, model.brand.name) == ("X-1", "Acme")
    assert set(session.scalars(select(Product.product_model_id)).all()) == {model.id, None}
    told = [(sender, carried["line"]) for name, sender, carried in heard if name == "record_saved"]
    assert told == [
        ("categories", 2),
        ("brands", 2),
        ("product_models", 2),
        ("products", 2),
        ("products", 3),
        ("categories", 4),
        ("products", 4),
        ("inflows", 4),
    ]
    written = session.execute(select(Change.resource, Change.line, Change.job_id, Change.action)).all()
    assert sorted((row.resource, row.line) for row in written) == sorted(told)
    assert {(row.job_id, row.action) for row in written} == {(7, "created")}


def test_a_name_that_is_there_by_then_is_used_again(session: Session) -> None:
    context = SaveContext(None, "test", job_id=7, create_missing=ALL_OF_A_PRODUCT)
    save_in(context, "products", product("A", category="Toys"))
    save_in(context, "products", product("B", category="Toys"), product("C", category="toys"))
    assert session.scalar(select(func.count()).select_from(Category)) == 1
    assert context.will_create == {"category": {"toys": "Toys"}}


def test_a_bad_row_creates_nothing(session: Session) -> None:
    incomplete = product("A", category="Toys")
    del incomplete["title"]
    made = save("products", incomplete, create_missing=frozenset({"category"}))
    assert actions(made) == ["failed"]
    assert session.scalar(select(func.count()).select_from(Category)) == 0


@pytest.mark.parametrize(
    ("values", "allowed", "complaint"),
    [
        ({"product_model": "X-1"}, ALL_OF_A_PRODUCT, "There is no Model “X-1”. To have it created, name"),
        (
            {"product_model": "X-1", "brand": "Acme"},
            frozenset({"product_model"}),
            "There is no Brand “Acme”. Create it first",
        ),
        (
            {"product_model": "X-1", "brand": "Acme"},
            frozenset({"brand"}),
            "There is no Model “X-1”. Create it first",
        ),
    ],
)
def test_a_model_is_created_under_its_brand_alone(
    session: Session, values: dict[str, str], allowed: frozenset[str], complaint: str
) -> None:
    save("categories", {"name": "Tools"})
    made = save("products", product("A", **values), create_missing=allowed)
    assert complaints(made)[0].startswith(complaint)
    assert session.scalar(select(func.count()).select_from(Brand)) == 0


def test_a_product_is_never_created_for_a_movement(session: Session) -> None:
    made = save(
        "inflows", {"product": "nobody", "quantity": 1}, create_missing=frozenset({"product", "supplier"})
    )
    assert complaints(made)[0].startswith("There is no Product “nobody”.")


def test_a_supplier_comes_with_its_first_delivery(session: Session) -> None:
    stock_up("A")
    row = {"product": "A", "quantity": 2, "supplier": "Northern"}
    save("inflows", row, row, create_missing=frozenset({"supplier"}))
    supplier = session.scalars(select(Supplier.id)).one()
    assert session.scalars(select(Inflow.supplier_id)).all() == [supplier, supplier]
    assert quantity_of("A") == 4


def test_a_brand_comes_with_its_first_model(session: Session) -> None:
    rows = [
        {"brand": "Acme", "name": "X-1"},
        {"brand": "acme", "name": "X-2"},
        {"brand": "Acme", "name": "x-1"},
    ]
    made = save("product_models", *rows, create_missing=frozenset({"brand"}))
    assert actions(made) == ["created", "created", "updated"]  # the later row writes the name its own way
    assert session.scalar(select(func.count()).select_from(Brand)) == 1
    assert session.scalar(select(func.count()).select_from(ProductModel)) == 2


def test_a_dry_run_lists_what_would_be_created_and_creates_nothing(session: Session) -> None:
    rows = [
        product("A", category="Toys", brand="Acme", product_model="X-1"),
        product("B", category="Games"),
        product("C", category="toys"),
    ]
    dry, context = try_out("products", *rows, create_missing=ALL_OF_A_PRODUCT)
    assert actions(dry) == ["created"] * 3
    assert {name: list(found.values()) for name, found in context.will_create.items()} == {
        "category": ["Toys", "Games"],
        "brand": ["Acme"],
        "product_model": ["X-1"],
    }
    assert session.scalar(select(func.count()).select_from(Category)) == 0


def test_a_dry_run_asks_for_each_name_once_as_long_as_they_are_few(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("categories", {"name": "Tools"}, {"name": "Toys"})
    rows = [product(str(n), category="Tools" if n % 2 else "nothing") for n in range(8)]
    asked = []
    for kept in (20_000, 1):
        monkeypatch.setattr(record_references, "KEPT_NAMES", kept)
        with counted_queries() as queries:
            plans, _ = try_out("products", *rows)
        assert actions(plans) == ["failed", "created"] * 4
        asked.append(sum("category" in query.split("FROM")[1] for query in queries if "FROM" in query))
    assert asked == [1, 4]
