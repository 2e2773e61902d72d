"""Several people at once on the same records: each change is kept or said to be too late, and the stock adds up."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.services.test_record_editing import id_of, shown
from tests.services.test_stock_threads import run_together
from tests.support.databases import on_both_databases
from tests.support.factories import quantity_of, save, stock_up
from tests.support.houses import load_person
from webapp.errors import Invalid, NotFound
from webapp.extensions import db
from webapp.models import Change, Outflow, Product, Supplier
from webapp.resources.registry import get_resource
from webapp.services import stock
from webapp.services.record_drafts import Draft
from webapp.services.record_editing import EditConflict, update_record
from webapp.services.record_reassign import reassign_uses
from webapp.services.record_replacement import Replacement

pytestmark = [on_both_databases, pytest.mark.slow]

PEOPLE = 4
SALES = 12


def test_of_all_who_save_the_same_form_one_wins_and_the_rest_are_told(session: Session, app: Flask) -> None:
    save("suppliers", {"name": "Northern", "phone": "0"})
    supplier, kind = id_of("suppliers", "Northern"), get_resource("suppliers")
    texts, seen = shown("suppliers", supplier)
    saved, told = [], []

    def edit(phone: str) -> None:
        try:
            update_record(load_person(app, "editor"), kind, supplier, Draft(texts | {"phone": phone}), seen)
            saved.append(phone)
        except EditConflict as error:
            told.append(error.current.texts["phone"])

    run_together(app, *(lambda phone=str(number): edit(phone) for number in range(1, PEOPLE + 1)))
    assert len(saved) == 1
    assert told == saved * (PEOPLE - 1)
    found = session.get(Supplier, supplier)
    assert found is not None
    assert (found.phone, found.version) == (saved[0], 2)
    changes = session.scalars(
        select(Change).where(Change.resource == "suppliers", Change.action == "updated")
    )
    assert [item.after for item in changes] == [{"phone": saved[0]}]


def test_movements_are_edited_while_their_product_is_given_up(session: Session, app: Flask) -> None:
    stock_up("A", "B", quantity=100)
    save("outflows", *({"reference": f"S-{n}", "product": "A", "quantity": 1} for n in range(SALES)))
    movements = session.scalars(select(Outflow.id)).all()
    products = {name: id_of("products", name) for name in ("A", "B")}
    forms = {movement: shown("outflows", movement) for movement in movements}
    ends: list[str] = []

    def edit(mine: list[int]) -> None:
        for movement in mine:
            texts, seen = forms[movement]
            draft = Draft(texts | {"quantity": "3"})
            try:
                update_record(load_person(app, "editor"), get_resource("outflows"), movement, draft, seen)
                ends.append("saved")
            except (EditConflict, NotFound, Invalid) as error:
                ends.append(type(error).__name__)

    def give_up() -> None:
        actor = load_person(app, "editor")
        reassign_uses(actor, get_resource("products"), products["A"], Replacement("B"))

    run_together(app, lambda: edit(movements[::2]), lambda: edit(movements[1::2]), give_up)  # type: ignore[arg-type]
    assert stock.verify_stock() == []
    assert set(ends) <= {"saved", "EditConflict"}
    assert len(ends) == SALES
    # Who was saved before has moved with the product; who came after it was told.
    left = 200 - SALES - 2 * ends.count("saved")
    assert (quantity_of("A"), quantity_of("B")) == (0, left)
    owners = session.scalars(select(Product.serial_number).join(Outflow).distinct()).all()
    assert owners == ["B"]
    db.session.rollback()
