"""The order of a list is the same whether few records are sorted or an index is walked down, on every page of it."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop, product, save
from webapp.extensions import db
from webapp.resources.base import Resource
from webapp.resources.registry import RESOURCES
from webapp.services import queries, record_counts

pytestmark = pytest.mark.slow  # some thousand pages

ROWS = 4
FILTERS: dict[str, list[dict[str, str]]] = {
    "products": [
        {"category": "Tools"},
        {"brand": "Bolt"},
        {"quantity_from": "1", "quantity_to": "2"},
        {"quantity_from": "1", "sell_price_to": "4.90"},
    ],
    "inflows": [{"kind": "purchase"}, {"supplier": "Northern"}, {"occurred_at_from": "2020-01-01"}],
    "outflows": [{"kind": "sale", "quantity_from": "1"}],
}


def fill(app: Flask) -> None:
    """Save records with many equal values and many that refer to nothing."""
    with app.app_context():
        fill_shop()
        names = [f"N-{place}" for place in range(10)]
        save("suppliers", {"name": "Southern"})
        save("product_models", *({"brand": "Bolt", "name": name} for name in names[:3]))
        save("products", *(product(name, quantity=int(name[-1]) % 3) for name in names))
        model = {"brand": "Bolt", "product_model": "N-1", "quantity": 2}
        save("products", *(product(f"M-{place}", title="Same", **model) for place in range(5)))
        suppliers: tuple[dict[str, str], ...] = ({}, {"supplier": "Northern"}, {"supplier": "southern"})
        rows = ({"reference": name, "product": name, "quantity": 2} for name in names)
        save("inflows", *(row | suppliers[place % 3] for place, row in enumerate(rows)))
        save("outflows", *({"reference": name, "product": name, "quantity": 1} for name in names))


def walk(resource: Resource, sort: str, filters: dict[str, str]) -> list[int]:
    """Return the ids of a whole list, page by page, and hold the way back against the way there."""
    there: list[list[int]] = []
    back: list[list[int]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = queries.list_records(resource, (), filters=filters, sort=sort, cursor=cursor, limit=ROWS)
        there.append([row.id for row in page.rows])
        cursor = page.next_cursor
    while (cursor := page.previous_cursor) is not None:
        page = queries.list_records(resource, (), filters=filters, sort=sort, cursor=cursor, limit=ROWS)
        back.append([row.id for row in page.rows])
    assert back == there[-2::-1], (resource.name, sort, filters)
    db.session.rollback()
    return [one for ids in there for one in ids]


def list_orders() -> Iterator[tuple[Resource, str, dict[str, str]]]:
    """Yield every order of every list, with and without filters."""
    for resource in RESOURCES.values():
        for field in (field for field in resource.fields if field.sortable):
            for filters in ({}, *FILTERS.get(resource.name, [])):
                yield from ((resource, field.name, filters), (resource, f"-{field.name}", filters))


def name_all(resource: Resource) -> dict[str, str]:
    """Return a filter that leaves every record: such a list is sorted, whatever its length."""
    return {"ids": ",".join(str(one) for one in db.session.scalars(select(resource.model.id)))}


@on_both_databases
def test_few_and_many_are_in_the_same_order(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(app)
    with app.app_context():
        orders = list(list_orders())
        few = [walk(resource, sort, filters or name_all(resource)) for resource, sort, filters in orders]
        monkeypatch.setattr(record_counts, "COUNT_LIMIT", 0)
        many = [walk(resource, sort, filters) for resource, sort, filters in orders]
    assert many == few
    assert all(len(set(ids)) == len(ids) > 0 for ids in many)
    assert {
        len(ids)
        for (resource, _, filters), ids in zip(orders, many, strict=True)
        if resource.name == "products" and not filters
    } == {18}
