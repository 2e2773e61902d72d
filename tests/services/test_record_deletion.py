"""Deleting one record by hand, and giving what uses it another one."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop, heard_signals, product, quantity_of, save, stock_up
from webapp.database import after_commit
from webapp.errors import Conflict, Forbidden, Invalid
from webapp.extensions import db
from webapp.models import Brand, Change, Inflow, Outflow, Product, ProductModel, Supplier, User
from webapp.resources.registry import get_resource
from webapp.services import record_reassign, record_uses
from webapp.services.record_deletion import check_deletion, check_unchanged, delete_record
from webapp.services.record_editing import EditConflict, Snapshot, get_values, take_snapshot
from webapp.services.record_reassign import reassign_uses
from webapp.services.record_replacement import Replacement
from webapp.services.record_uses import list_uses
from webapp.services.reference_options import list_options
from webapp.services.signals import rows_saved

pytestmark = [on_both_databases, pytest.mark.slow]


def id_of(resource: str, key: str, title: str = "") -> int:
    """Return the id of the record with this key."""
    found = list_options(get_resource(resource), key)
    db.session.rollback()
    return next(option.id for option in found if option.key == key and title in option.title)


def reassign(actor: User, resource: str, old: int, key: str, scope: str = "") -> int:
    return reassign_uses(actor, get_resource(resource), old, Replacement(key, scope))


def snapshot(resource: str, record_id: int) -> Snapshot:
    """Return what somebody sees of a record now."""
    found = get_resource(resource)
    seen = take_snapshot(found, get_values(found, record_id))
    db.session.rollback()
    return seen


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_what_uses_a_record_is_told_by_kind_and_it_stays(session: Session, editor: User) -> None:
    fill_shop()
    tools = id_of("categories", "Tools")
    assert [
        (use.resource.name, use.field.name, use.count) for use in list_uses(get_resource("categories"), tools)
    ] == [("products", "category", 2)]
    with pytest.raises(Invalid) as error:
        delete_record(editor, get_resource("categories"), tools)
    assert str(error.value.problems[""]) == "It is used by other records (Products)."


def test_what_nothing_uses_goes_with_a_change(session: Session, editor: User) -> None:
    save("brands", {"name": "Acme"})
    brand = id_of("brands", "Acme")
    assert check_deletion(get_resource("brands"), brand) is None
    db.session.rollback()
    seen = snapshot("brands", brand)
    with pytest.raises(Conflict):
        delete_record(editor, get_resource("brands"), brand, seen=Snapshot(0, {**seen.texts, "name": "Acne"}))
    delete_record(editor, get_resource("brands"), brand, seen=seen)
    assert count(Brand) == 0
    last = session.scalars(select(Change).order_by(Change.id.desc())).first()
    assert last is not None
    assert (last.action, last.source, last.actor_id, last.before) == (
        "deleted",
        "form",
        editor.id,
        {"name": "Acme"},
    )


def test_a_deleted_movement_takes_its_pieces_back(session: Session, editor: User) -> None:
    stock_up("A", quantity=5)
    save("outflows", {"reference": "S-1", "product": "A", "quantity": 4})
    opening = session.scalars(select(Inflow.id)).one()
    assert str(check_deletion(get_resource("inflows"), opening)).startswith(
        "Only 1 of A are left: without these 5"
    )
    db.session.rollback()
    delete_record(editor, get_resource("outflows"), session.scalars(select(Outflow.id)).one())
    assert quantity_of("A") == 5


def test_products_get_another_category_each_with_its_change(session: Session, editor: User) -> None:
    fill_shop()
    tools = id_of("categories", "Tools")
    with heard_signals() as heard:
        assert reassign(editor, "categories", tools, "toys") == 2
    assert [(name, sender) for name, sender, _ in heard] == [("record_saved", "products")] * 2
    delete_record(editor, get_resource("categories"), tools)
    assert {item.category.name for item in session.scalars(select(Product))} == {"Toys"}


def test_a_model_is_told_from_another_by_its_brand(session: Session, editor: User) -> None:
    fill_shop()
    used, other = id_of("product_models", "X-1", "Bolt"), id_of("product_models", "X-1", "Acme")
    with pytest.raises(Invalid) as error:
        reassign(editor, "product_models", used, "X-1")
    assert "more than one" in str(error.value.problems["replacement"])
    assert reassign(editor, "product_models", used, "X-1", "Acme") == 1
    assert session.scalars(
        select(Product.product_model_id).where(Product.product_model_id.is_not(None))
    ).all() == [other]


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("", "Category is missing. Choose what takes its place."),
        ("nowhere", "There is no Category “nowhere”."),
        ("Tools", "That is the record itself. Choose another one."),
    ],
)
def test_what_cannot_take_the_place_is_said(session: Session, editor: User, key: str, complaint: str) -> None:
    fill_shop()
    with pytest.raises(Invalid) as error:
        reassign(editor, "categories", id_of("categories", "Tools"), key)
    assert str(error.value.problems["replacement"]).startswith(complaint)


def test_what_may_be_empty_can_be_left_without(session: Session, editor: User) -> None:
    fill_shop()
    supplier = id_of("suppliers", "Northern")
    assert reassign_uses(editor, get_resource("suppliers"), supplier, None) == 1
    delete_record(editor, get_resource("suppliers"), supplier)
    assert count(Supplier) == 0
    with pytest.raises(Invalid):
        reassign_uses(editor, get_resource("categories"), id_of("categories", "Tools"), None)


def test_two_of_one_name_do_not_meet_under_one_brand(session: Session, editor: User) -> None:
    fill_shop()
    with pytest.raises(Invalid) as error:
        reassign(editor, "brands", id_of("brands", "Acme"), "Bolt")
    assert str(error.value.problems["replacement"]).startswith("There it would meet another Model, “X-1”.")
    assert count(ProductModel) == 2


def test_a_name_that_is_taken_is_found_before_the_first_is_changed(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_reassign, "BATCH_ROWS", 2)
    save("brands", {"name": "Acme"}, {"name": "Bolt"})
    save("product_models", *({"brand": "Acme", "name": f"M-{number}"} for number in range(7)))
    save("product_models", {"brand": "Bolt", "name": "m-6"})
    changes = count(Change)
    with pytest.raises(Invalid) as error:
        reassign(editor, "brands", id_of("brands", "Acme"), "Bolt")
    assert list(error.value.problems) == ["replacement"]
    assert "“M-6”" in str(error.value.problems["replacement"])
    assert count(Change) == changes


def test_who_comes_between_two_batches_stops_it_and_the_next_try_is_about_the_rest(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_reassign, "BATCH_ROWS", 2)
    save("brands", {"name": "Acme"}, {"name": "Bolt"})
    save("product_models", *({"brand": "Acme", "name": f"M-{number}"} for number in range(5)))
    acme = id_of("brands", "Acme")

    def take_name() -> None:
        save("product_models", {"brand": "Bolt", "name": "M-3"})

    def come_between(sender: str, session: Session, **_: object) -> None:
        rows_saved.disconnect(come_between)
        after_commit(session, take_name)

    rows_saved.connect(come_between)
    with pytest.raises(Invalid) as error:
        reassign(editor, "brands", acme, "Bolt")
    assert "2 of them were changed already" in str(error.value.problems[""])
    assert "“M-3”" in str(error.value.problems["replacement"])
    assert [use.count for use in list_uses(get_resource("brands"), acme)] == [3]
    db.session.rollback()
    inserted = session.scalars(select(ProductModel).order_by(ProductModel.id.desc())).first()
    assert inserted is not None
    delete_record(editor, get_resource("product_models"), inserted.id)
    assert reassign(editor, "brands", acme, "Bolt") == 3
    delete_record(editor, get_resource("brands"), acme)


def test_the_movements_of_a_product_take_its_stock_with_them(session: Session, editor: User) -> None:
    stock_up("A", "B", quantity=5)
    save(
        "outflows",
        {"reference": "S-1", "product": "A", "quantity": 4},
        {"reference": "S-2", "product": "B", "quantity": 5},
    )
    double = id_of("products", "A")
    with heard_signals() as heard:
        assert reassign(editor, "products", double, "B") == 2
    moved = [carried for name, _, carried in heard if name == "stock_moved"]
    assert len(moved) == 4
    assert all(item["before"] >= 0 and item["after"] >= 0 for item in moved)
    assert (quantity_of("A"), quantity_of("B")) == (0, 1)
    delete_record(editor, get_resource("products"), double)
    assert count(Product) == 1


def test_a_product_that_was_sold_since_it_was_looked_at_is_the_same_product(
    session: Session, editor: User
) -> None:
    stock_up("A", "B", quantity=5)
    double = id_of("products", "A")
    seen = snapshot("products", double)
    save("outflows", {"reference": "S-1", "product": "A", "quantity": 4})
    check_unchanged(get_resource("products"), double, seen)
    db.session.rollback()
    save("products", product("A", title="Another title"))
    with pytest.raises(EditConflict):
        check_unchanged(get_resource("products"), double, seen)


def test_more_than_one_batch_is_changed(session: Session, editor: User) -> None:
    save("categories", {"name": "Tools"}, {"name": "Toys"})
    save("products", *(product(f"N-{number}") for number in range(501)))
    assert reassign(editor, "categories", id_of("categories", "Tools"), "Toys") == 501


def test_a_viewer_deletes_and_reassigns_nothing(session: Session, viewer: User) -> None:
    save("brands", {"name": "Acme"})
    brand = id_of("brands", "Acme")
    with pytest.raises(Forbidden):
        delete_record(viewer, get_resource("brands"), brand)
    with pytest.raises(Forbidden):
        reassign(viewer, "brands", brand, "Bolt")


def test_what_very_many_records_use_is_not_changed_by_hand(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (record_uses, record_reassign):
        monkeypatch.setattr(module, "MOST_RECORDS", 1)
    fill_shop()
    tools = id_of("categories", "Tools")
    (use,) = list_uses(get_resource("categories"), tools)
    assert (use.count, use.is_count_exact) == (2, False)
    with pytest.raises(Invalid) as error:
        reassign(editor, "categories", tools, "toys")
    assert str(error.value.problems["replacement"]).startswith("More than 1 records use it")
    assert count(Product) == 3
