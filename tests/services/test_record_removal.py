"""Records are removed as a delete button does it: through the stock, and never from under others."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop, quantity_of, save, stock_up
from tests.support.houses import MakeApp
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Category, Change, Inflow, Outflow, Product
from webapp.resources.registry import RESOURCES, get_resource
from webapp.services import stock
from webapp.services.record_removal import remove_records
from webapp.services.records import SaveContext

pytestmark = [on_both_databases, pytest.mark.slow]


def remove(resource: str, *record_ids: int) -> dict[int, str]:
    """Remove records and return why some stay."""
    with write_transaction() as session:
        problems = remove_records(session, get_resource(resource), record_ids, SaveContext(None, "test"))
    return {record_id: str(problem) for record_id, problem in problems.items()}


def ids(model: type[Product | Category | Inflow | Outflow]) -> list[int]:
    return list(db.session.scalars(select(model.id).order_by(model.id)))


def test_a_movement_gives_its_pieces_back(session: Session) -> None:
    stock_up("A", quantity=5)
    save("outflows", {"reference": "S-1", "product": "A", "quantity": 3})
    assert remove("outflows", *ids(Outflow)) == {}
    assert (quantity_of("A"), stock.verify_stock()) == (5, [])


def test_movements_go_until_the_stock_would_fall_below_zero(session: Session) -> None:
    stock_up("A")
    save("inflows", *({"reference": f"P-{n}", "product": "A", "quantity": 2} for n in range(3)))
    save("outflows", {"reference": "S-1", "product": "A", "quantity": 3})
    first, second, third = ids(Inflow)
    assert remove("inflows", first, second, third) == {
        second: "Only 1 of A are left: without these 2 the stock falls below zero.",
        third: "Only 1 of A are left: without these 2 the stock falls below zero.",
    }
    assert (quantity_of("A"), stock.verify_stock()) == (1, [])


def test_where_stock_may_be_negative_any_movement_goes(make_app: MakeApp) -> None:
    with make_app(ALLOW_NEGATIVE_STOCK="1").app_context():
        stock_up("A", quantity=2)
        save("outflows", {"reference": "S-1", "product": "A", "quantity": 2})
        assert remove("inflows", *ids(Inflow)) == {}
        assert quantity_of("A") == -2


def test_what_others_refer_to_stays_and_its_neighbours_go(session: Session) -> None:
    fill_shop()
    save("categories", {"name": "Unused"})
    tools, toys, unused = ids(Category)
    assert remove("categories", tools, toys, unused) == {
        tools: "It is used by other records (Products).",
        toys: "It is used by other records (Products).",
    }
    assert ids(Category) == [tools, toys]


@pytest.mark.parametrize("resource", list(RESOURCES))
def test_every_kind_can_be_emptied_from_the_last_to_the_first(session: Session, resource: str) -> None:
    fill_shop()
    for name in reversed(RESOURCES):
        model = RESOURCES[name].model
        rows = list(db.session.scalars(select(model.id).order_by(model.id.desc())))
        assert remove(name, *rows) == {}
        if name == resource:
            break
    assert session.scalar(select(func.count()).select_from(RESOURCES[resource].model)) == 0
    assert stock.verify_stock() == []


def test_what_is_not_there_is_no_problem(session: Session) -> None:
    assert remove("categories", 1, 2) == {}


def test_each_removal_is_kept_with_all_that_the_record_was(session: Session) -> None:
    stock_up("A", quantity=5)
    save("outflows", {"reference": "S-1", "product": "A", "quantity": 3})
    remove("outflows", *ids(Outflow))
    change = session.scalars(select(Change).order_by(Change.id.desc())).first()
    assert change is not None
    assert (change.resource, change.action, change.source, change.after) == (
        "outflows",
        "deleted",
        "test",
        None,
    )
    assert change.before is not None
    assert (change.before["reference"], change.before["quantity"]) == ("S-1", 3)
    assert float(change.before["unit_price"]) == 4.9
