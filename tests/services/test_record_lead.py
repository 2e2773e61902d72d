"""Where several conditions hold at once, SQLite begins at the one that fewest records meet."""

import pytest
from flask import Flask

from tests.support.databases import counted_queries
from tests.support.factories import fill_shop, product, save
from webapp.resources.registry import get_resource
from webapp.services import queries, record_lead
from webapp.services.record_lead import find_lead


@pytest.fixture
def shop(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """A shop with many purchases, few of them large, whose lists count no further than four."""
    monkeypatch.setattr(record_lead, "COUNT_LIMIT", 4)
    with app.app_context():
        fill_shop()
        save("products", product("P"))
        rows = ({"reference": f"R-{place}", "product": "P", "quantity": 60 * place} for place in range(1, 9))
        save("inflows", *({"kind": "purchase"} | row for row in rows))
    return app


def test_it_is_the_field_that_fewest_records_meet(shop: Flask) -> None:
    inflows = get_resource("inflows")
    with shop.app_context():
        lead = find_lead(inflows, {"kind": "purchase", "quantity_from": "400"})
        assert lead is inflows.get_field("quantity")
        assert find_lead(inflows, {"kind": "purchase", "quantity_from": "10"}) is None, "both are many"
        assert find_lead(inflows, {"quantity_from": "10", "quantity_to": "400"}) is None, "one field's"
        assert find_lead(inflows, {"kind": "purchase", "description": "x"}) is None, "the other has no index"


def test_a_list_begins_there(shop: Flask) -> None:
    inflows = get_resource("inflows")
    filters = {"kind": "purchase", "quantity_from": "400"}
    with shop.app_context(), counted_queries() as asked:
        page = queries.list_records(inflows, inflows.list_fields, filters=filters)
    assert [row.quantity for row in page.rows] == [480, 420]
    assert (page.count, page.is_count_exact) == (2, True)
    assert any("+inflow.kind = " in statement for statement in asked)
