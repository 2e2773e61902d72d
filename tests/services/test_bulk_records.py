"""Many records at once: what can be done is done, the rest is named, and nobody gets more than they were shown."""

from decimal import Decimal

import pytest
from flask import Flask

from tests.support.databases import on_both_databases
from tests.support.factories import product, quantity_of, save, stock_up
from tests.support.houses import load_person
from webapp.errors import Conflict, Forbidden, Invalid
from webapp.extensions import db
from webapp.models import Brand, Change, Product, User
from webapp.resources.registry import get_resource
from webapp.services import bulk_selection
from webapp.services.bulk_records import delete_many, edit_many
from webapp.services.bulk_selection import MOST, Selection
from webapp.services.bulk_steps import list_bulk_fields

PRODUCTS, BRANDS, OUTFLOWS = (get_resource(name) for name in ("products", "brands", "outflows"))
ALL_BRANDS = Selection(BRANDS, is_everything=True)


@pytest.fixture
def editor(app: Flask) -> User:
    return load_person(app, "editor")


@on_both_databases
def test_what_is_in_use_stays_and_is_named(app: Flask, editor: User) -> None:
    with app.app_context():
        stock_up("A-1", quantity=3)
        made = save("products", product("A-2"), product("A-3"))
        result = delete_many(editor, Selection(PRODUCTS, is_everything=True), expected=3)
        assert result.done == 2
        assert [(item.name, "used by" in str(item.problem)) for item in result.refused] == [
            ("Product A-1", True)
        ]
        audited = db.session.query(Change).filter_by(resource="products", action="deleted").all()
        assert {(row.record_id, row.actor_id, row.source) for row in audited} == {
            (plan.record_id, editor.id, "form") for plan in made
        }


@on_both_databases
def test_deleting_movements_gives_their_pieces_back(app: Flask, editor: User) -> None:
    with app.app_context():
        stock_up("A-1", quantity=9)
        rows = [{"reference": f"S-{number}", "product": "A-1", "quantity": 1} for number in range(4)]
        made = save("outflows", *rows)
        assert quantity_of("A-1") == 5
        delete_many(editor, Selection(OUTFLOWS, tuple(plan.record_id for plan in made[:3])))
        assert quantity_of("A-1") == 8


@on_both_databases
def test_one_field_of_many_is_set(app: Flask, editor: User) -> None:
    with app.app_context():
        save("categories", {"name": "Tools"}, {"name": "Toys"})
        save("products", *(product(str(number)) for number in range(60)), product("x", category="Toys"))
        chosen = Selection(PRODUCTS, filters={"category": "tools"}, is_everything=True)
        result = edit_many(editor, chosen, "sell_price", "7,25", decimal=",", expected=60)
        assert (result.done, result.unchanged, result.refused) == (60, 0, [])
        assert edit_many(editor, chosen, "sell_price", "7.25").unchanged == 60
        moved = edit_many(editor, Selection(PRODUCTS, is_everything=True), "category", "toys")
        assert (moved.done, moved.unchanged) == (60, 1)
        prices = set(db.session.scalars(db.select(Product.sell_price)))
        assert prices == {Decimal("7.25"), Decimal("4.90")}


def test_a_field_is_emptied_and_what_no_record_can_take_is_refused_at_once(app: Flask, editor: User) -> None:
    with app.app_context():
        save("brands", {"name": "Acme", "description": "old"})
        assert edit_many(editor, ALL_BRANDS, "description", "").done == 1
        assert db.session.scalars(db.select(Brand.description)).one() is None
        stock_up("A-1")
        everything = Selection(PRODUCTS, is_everything=True)
        for name, text in (
            ("sell_price", "cheap"),
            ("sell_price", ""),
            ("quantity", "3"),
            ("serial_number", "x"),
        ):
            with pytest.raises(Invalid):
                edit_many(editor, everything, name, text)


def test_an_unknown_reference_is_told_for_each_record(app: Flask, editor: User) -> None:
    with app.app_context():
        stock_up("A-1", "A-2")
        result = edit_many(editor, Selection(PRODUCTS, is_everything=True), "category", "Nowhere")
        assert (result.done, len(result.refused)) == (0, 2)
        assert "Nowhere" in str(result.refused[0].problem)


def test_more_than_was_shown_or_than_fits_is_refused(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        save("brands", *({"name": f"B-{number}"} for number in range(3)))
        with pytest.raises(Conflict, match="More records match"):
            delete_many(editor, ALL_BRANDS, expected=2)
        monkeypatch.setattr(bulk_selection, "MOST", 2)
        with pytest.raises(Conflict, match="At most"):
            delete_many(editor, ALL_BRANDS)
    assert MOST == 2_000  # as the sentence says


def test_who_may_only_look_changes_nothing(app: Flask) -> None:
    viewer = load_person(app, "viewer")
    with app.app_context():
        with pytest.raises(Forbidden):
            delete_many(viewer, ALL_BRANDS)
        with pytest.raises(Forbidden):
            edit_many(viewer, ALL_BRANDS, "description", "x")


def test_neither_the_key_nor_the_stock_is_a_field_of_many() -> None:
    names = {field.name for field in list_bulk_fields(PRODUCTS)}
    assert names.isdisjoint({"serial_number", "quantity", "brand"})
    assert {"title", "category", "product_model", "cost_price"} <= names
