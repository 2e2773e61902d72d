"""One record by a form: created, changed, and never over somebody else's change."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop, heard_signals, quantity_of, save, stock_up
from webapp.database import write_transaction
from webapp.errors import Forbidden, Invalid, NotFound
from webapp.extensions import db
from webapp.models import Change, Inflow, Outflow, Product, User
from webapp.resources.registry import RESOURCES, get_resource
from webapp.services.record_drafts import Draft, format_text, list_form_fields
from webapp.services.record_editing import (
    EditConflict,
    Snapshot,
    create_record,
    find_last_change,
    get_values,
    take_snapshot,
    update_record,
)
from webapp.services.reference_options import list_options

pytestmark = [on_both_databases, pytest.mark.slow]

TEA = {
    "serial_number": "T-1",
    "title": "Tea",
    "category": "Tools",
    "cost_price": "2.50",
    "sell_price": "4.90",
}


def shown(resource: str, record_id: int, decimal: str = ".") -> tuple[dict[str, str], Snapshot]:
    """Return the texts that a form shows of a record, and what it remembers of it."""
    kind = get_resource(resource)
    values = get_values(kind, record_id)
    fields = list_form_fields(kind, is_new=False)
    texts = {field.name: format_text(field, values[field.name], decimal) for field in fields}
    snapshot = take_snapshot(kind, values)
    db.session.rollback()
    return texts, snapshot


def id_of(resource: str, key: str) -> int:
    """Return the id of the record with this key."""
    (found,) = [option.id for option in list_options(get_resource(resource), key) if option.key == key]
    return found


def change(actor: User, resource: str, record: str | int, **texts: str) -> Any:
    """Open the form of a record, named by its key or its id, type some texts and save."""
    record_id = record if isinstance(record, int) else id_of(resource, record)
    before, seen = shown(resource, record_id)
    return update_record(actor, get_resource(resource), record_id, Draft(before | texts), seen)


def create(actor: User, resource: str, **texts: str) -> int:
    return create_record(actor, get_resource(resource), Draft(texts)).record_id


def problems_of(error: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {name: str(problem) for name, problem in error.value.problems.items()}


def test_a_product_is_created_with_its_opening_stock(session: Session, editor: User) -> None:
    save("categories", {"name": "Tools"})
    with heard_signals() as heard:
        create(editor, "products", **TEA, quantity="12")
    assert quantity_of("T-1") == 12
    assert [(name, sender) for name, sender, _ in heard] == [
        ("record_saved", "products"),
        ("record_saved", "inflows"),
        ("stock_moved", "inflows"),
    ]
    made = session.scalars(select(Change).where(Change.resource == "products")).one()
    assert (made.source, made.actor_id, made.action, made.line) == ("form", editor.id, "created", None)


def test_numbers_and_dates_are_read_as_the_reader_writes_them(session: Session, editor: User) -> None:
    stock_up("A", quantity=5)
    texts = {"product": "a", "quantity": "1.000", "unit_cost": "1.234,5", "occurred_at": "2026-01-31T14:30"}
    create_record(editor, get_resource("inflows"), Draft(texts, decimal=","))
    found = session.scalars(select(Inflow).where(Inflow.kind == "purchase")).one()
    assert (found.quantity, found.unit_cost) == (1000, Decimal("1234.5"))
    assert found.occurred_at.isoformat() == "2026-01-31T14:30:00+00:00"


def test_all_that_is_wrong_is_said_at_once(session: Session, editor: User) -> None:
    with pytest.raises(Invalid) as error:
        create(editor, "products", title="x", category="nowhere", cost_price="cheap", sell_price="1,5")
    assert problems_of(error) == {
        "serial_number": "Serial number is missing. Fill it in.",
        "cost_price": "“cheap” is not a number. Write it with digits, such as 1234.56.",
        "sell_price": "“1,5” is not a number. Write it with digits, such as 1234.56.",
        "category": "There is no Category “nowhere”. Create it first, or correct the name.",
    }


def test_a_key_is_given_once(session: Session, editor: User) -> None:
    save("brands", {"name": "Acme"}, {"name": "Bolt"})
    with pytest.raises(Invalid) as error:
        create(editor, "brands", name="ACME")
    assert problems_of(error) == {"name": "There is already such a Brand."}
    with pytest.raises(Invalid) as error:
        change(editor, "brands", "Bolt", name="acme")
    assert problems_of(error) == {"name": "There is already such a Brand."}
    assert change(editor, "brands", "Acme", name="ACME").action == "updated"


def test_a_brand_alone_makes_no_model(session: Session, editor: User) -> None:
    fill_shop()
    with pytest.raises(Invalid) as error:
        create(editor, "products", **TEA, brand="Acme")
    assert list(problems_of(error)) == ["product_model"]
    create(editor, "products", **TEA, brand="bolt", product_model="x-1")
    found = session.scalars(select(Product).where(Product.serial_number == "T-1")).one()
    assert found.product_model is not None
    assert found.product_model.brand.name == "Bolt"


def test_saving_what_is_shown_changes_nothing_whatever_the_record(session: Session, editor: User) -> None:
    fill_shop()
    for resource in RESOURCES.values():
        for record_id in session.scalars(select(resource.model.id)).all():
            for decimal in (".", ","):
                texts, seen = shown(resource.name, record_id, decimal)
                made = update_record(editor, resource, record_id, Draft(texts, decimal), seen)
                assert made.action == "unchanged", (resource.name, made.before, made.after)


def test_a_new_name_keeps_the_record_and_is_a_change(session: Session, editor: User) -> None:
    stock_up("A", quantity=3)
    change(editor, "products", "A", serial_number="B", title="New", product_model="")
    assert quantity_of("B") == 3
    made = session.scalars(select(Change).order_by(Change.id.desc())).first()
    assert made is not None
    assert (made.action, made.source, made.record_id) == ("updated", "form", id_of("products", "B"))
    assert made.before == {"serial_number": "A", "title": "Product A"}


def test_what_is_emptied_becomes_empty_or_what_a_new_record_would_have(
    session: Session, editor: User
) -> None:
    fill_shop()
    change(editor, "suppliers", "Northern", email="", phone="")
    values = get_values(get_resource("suppliers"), id_of("suppliers", "Northern"))
    assert (values["email"], values["phone"]) == (None, None)
    movement = session.scalars(select(Outflow.id)).one()
    change(editor, "outflows", movement, unit_price="", unit_cost="", reference="")
    found = session.scalars(select(Outflow)).one()
    assert (found.unit_price, found.unit_cost) == (Decimal("4.90"), Decimal("2.50"))
    assert found.reference == f"OUT-{movement}"


def test_a_movement_moves_the_stock_by_the_difference(session: Session, editor: User) -> None:
    stock_up("A", quantity=10)
    movement = create(editor, "outflows", product="A", quantity="4")
    with heard_signals() as heard:
        change(editor, "outflows", movement, quantity="7")
    assert quantity_of("A") == 3
    moved = [carried for name, _, carried in heard if name == "stock_moved"]
    assert [(item["delta"], item["before"], item["after"]) for item in moved] == [(-3, 6, 3)]


def test_a_movement_of_another_product_moves_both_stocks(session: Session, editor: User) -> None:
    stock_up("A", "B", quantity=10)
    movement = create(editor, "outflows", product="A", quantity="4")
    with heard_signals() as heard:
        change(editor, "outflows", movement, product="B", quantity="5")
    assert (quantity_of("A"), quantity_of("B")) == (10, 5)
    moved = [carried for name, _, carried in heard if name == "stock_moved"]
    assert [(item["delta"], item["before"], item["after"]) for item in moved] == [(4, 6, 10), (-5, 10, 5)]


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        ({"quantity": "1"}, "Only 3 of A are left: without these 9 the stock falls below zero."),
        ({"product": "B"}, "Only 3 of A are left: without these 10 the stock falls below zero."),
    ],
)
def test_the_stock_never_falls_below_zero(
    session: Session, editor: User, texts: dict[str, str], complaint: str
) -> None:
    stock_up("A", "B")
    movement = create(editor, "inflows", product="A", quantity="10")
    create(editor, "outflows", product="A", quantity="7")
    with pytest.raises(Invalid) as error:
        change(editor, "inflows", movement, **texts)
    assert problems_of(error) == {"quantity": complaint}
    assert (quantity_of("A"), quantity_of("B")) == (3, 0)


def test_who_comes_second_is_told_what_the_first_has_changed(
    session: Session, editor: User, stranger: User
) -> None:
    save("suppliers", {"name": "Northern", "phone": "1"})
    supplier = id_of("suppliers", "Northern")
    texts, seen = shown("suppliers", supplier)
    change(stranger, "suppliers", "Northern", phone="2")
    mine = Draft(texts | {"email": "a@b.example"})
    with pytest.raises(EditConflict) as error:
        update_record(editor, get_resource("suppliers"), supplier, mine, seen)
    current = error.value.current
    assert (seen.texts["phone"], current.texts["phone"]) == ("1", "2")
    last = find_last_change(session, get_resource("suppliers"), supplier)
    assert last is not None
    assert last.email == stranger.email
    update_record(editor, get_resource("suppliers"), supplier, Draft({**mine.texts, "phone": "2"}), current)
    values = get_values(get_resource("suppliers"), id_of("suppliers", "Northern"))
    assert (values["phone"], values["email"]) == ("2", "a@b.example")


def test_a_sale_is_no_conflict_with_a_new_title(session: Session, editor: User) -> None:
    stock_up("A", quantity=10)
    tea = id_of("products", "A")
    texts, seen = shown("products", tea)
    create(editor, "outflows", product="A", quantity="4")
    update_record(editor, get_resource("products"), tea, Draft(texts | {"title": "New"}), seen)
    assert quantity_of("A") == 6
    assert get_values(get_resource("products"), tea)["title"] == "New"


def test_what_was_deleted_meanwhile_is_not_found(session: Session, editor: User) -> None:
    save("brands", {"name": "Acme"})
    brand = id_of("brands", "Acme")
    texts, seen = shown("brands", brand)
    with write_transaction() as writing:
        writing.execute(get_resource("brands").model.__table__.delete())
    with pytest.raises(NotFound):
        update_record(editor, get_resource("brands"), brand, Draft(texts), seen)


def test_a_viewer_saves_nothing(session: Session, viewer: User) -> None:
    save("brands", {"name": "Acme"})
    with pytest.raises(Forbidden):
        create(viewer, "brands", name="Bolt")
    with pytest.raises(Forbidden):
        change(viewer, "brands", "Acme", name="Bolt")


def test_seconds_that_a_form_does_not_show_stay(session: Session, editor: User) -> None:
    stock_up("A", quantity=1)
    movement = create(editor, "inflows", product="A", quantity="1", occurred_at="2026-01-31 14:30:25.5")
    change(editor, "inflows", movement, description="x")
    found = session.get(Inflow, movement)
    assert found is not None
    assert found.occurred_at.isoformat() == "2026-01-31T14:30:25.500000+00:00"
