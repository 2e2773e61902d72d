"""Records for tests, saved the way that forms and imports save them."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Product
from webapp.pipeline.check import CheckedRow
from webapp.resources.registry import get_resource
from webapp.services.records import Plan, SaveContext, save_rows
from webapp.services.signals import record_saved, stock_moved

FIRST_LINE = 2  # the header is line 1


def make_rows(*values: dict[str, Any]) -> list[CheckedRow]:
    """Return rows as the check of a file hands them on: parsed values by field name."""
    return [
        CheckedRow(line, dict(item), raw={name: str(value) for name, value in item.items()})
        for line, item in enumerate(values, FIRST_LINE)
    ]


def save(resource: str, *values: dict[str, Any], **options: Any) -> list[Plan]:
    """Save rows in one transaction and return what became of each."""
    context = SaveContext(**({"actor_id": None, "source": "test"} | options))
    with write_transaction() as session:
        return save_rows(session, get_resource(resource), make_rows(*values), context)


def actions(plans: list[Plan]) -> list[str]:
    """What became of each row, in a word."""
    return [plan.action for plan in plans]


def complaints(plans: list[Plan]) -> list[str]:
    """The first sentence of each row that was refused."""
    return [str(plan.row.problems[0].problem) for plan in plans if plan.action == "failed"]


def product(serial_number: str, **values: Any) -> dict[str, Any]:
    """Return the values of a product that lacks nothing."""
    needed = {
        "serial_number": serial_number,
        "title": f"Product {serial_number}",
        "category": "Tools",
        "cost_price": Decimal("2.50"),
        "sell_price": Decimal("4.90"),
    }
    return needed | values


def stock_up(*serial_numbers: str, quantity: int = 0) -> None:
    """Save products of the category Tools, each with an opening stock."""
    save("categories", {"name": "Tools"})
    made = save("products", *(product(number, quantity=quantity) for number in serial_numbers))
    assert set(actions(made)) == {"created"}, complaints(made)


def fill_shop() -> None:
    """Save a small shop with something of every kind."""
    save("categories", {"name": "Tools"}, {"name": "Toys"})
    save("brands", {"name": "Acme"}, {"name": "Bolt"})
    save("product_models", {"brand": "Acme", "name": "X-1"}, {"brand": "Bolt", "name": "X-1"})
    save("suppliers", {"name": "Northern", "email": "a@b.example", "phone": "+55 11 91234-5678"})
    save(
        "products",
        product(
            "00123",
            title='He said "no", twice',
            product_model="X-1",
            brand="Bolt",
            quantity=5,
            reorder_level=9,
        ),
        product("=1+1", title="Café", category="Toys", quantity=50, reorder_level=9),
        product("7891234567890", title="two\nlines"),
    )
    save("inflows", {"reference": "P-1", "product": "00123", "supplier": "Northern", "quantity": 3})
    save("outflows", {"reference": "S-1", "product": "=1+1", "quantity": 2})


def quantity_of(serial_number: str) -> int:
    """Return a product's quantity as it is stored now."""
    db.session.rollback()
    found = db.session.scalar(select(Product.quantity).where(Product.serial_number == serial_number))
    assert found is not None
    return found


@contextmanager
def heard_signals() -> Iterator[list[tuple[str, str, dict[str, Any]]]]:
    """Collect the signals of the block as (signal, resource, what it carried), in order."""
    heard: list[tuple[str, str, dict[str, Any]]] = []

    def hear_saved(sender: str, **carried: Any) -> None:
        heard.append(("record_saved", sender, carried))

    def hear_moved(sender: str, **carried: Any) -> None:
        heard.append(("stock_moved", sender, carried))

    with record_saved.connected_to(hear_saved), stock_moved.connected_to(hear_moved):
        yield heard
