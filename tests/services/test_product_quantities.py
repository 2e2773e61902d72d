"""A new quantity costs PostgreSQL one row: no index of products has what a movement changes."""

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop, save
from tests.support.houses import list_quantities_gone_astray
from webapp.extensions import db
from webapp.models import Product
from webapp.resources.registry import get_resource
from webapp.services import queries, record_counts
from webapp.services.record_filters import where_filters
from webapp.services.record_query import RecordQuery

INDEXED = """
SELECT DISTINCT attribute.attname FROM pg_index
JOIN pg_attribute AS attribute ON attribute.attrelid = pg_index.indrelid AND attribute.attnum = ANY (pg_index.indkey)
WHERE pg_index.indrelid = 'product'::regclass
"""
CONDITIONS = """
SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indrelid = 'product'::regclass AND indpred IS NOT NULL
"""
WITH_POSTGRESQL = pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.integration)], indirect=True
)


@WITH_POSTGRESQL
def test_no_index_of_products_has_a_column_that_every_movement_changes(app: Flask) -> None:
    with app.app_context():
        indexed = set(db.session.scalars(text(INDEXED)))
        conditions = db.session.scalars(text(CONDITIONS)).all()
    assert "title" in indexed
    assert indexed.isdisjoint({"quantity", "version", "updated_at"})
    assert conditions == ["(is_low IS TRUE)"]


@WITH_POSTGRESQL
def test_what_was_changed_in_any_way_is_found_where_it_stands_now(app: Flask) -> None:
    with app.app_context():
        fill_shop()
        db.session.execute(text("UPDATE product SET quantity = quantity + id"))
        first = db.session.scalar(select(Product.id).order_by(Product.id).limit(1))
        for table in ("inflow", "outflow"):
            db.session.execute(text(f"DELETE FROM {table} WHERE product_id = :id"), {"id": first})  # noqa: S608
        db.session.execute(text("DELETE FROM product WHERE id = :id"), {"id": first})
        assert list_quantities_gone_astray() == []
        db.session.execute(text("UPDATE product_quantity SET quantity = quantity + 1"))
        assert list_quantities_gone_astray() != []
        db.session.rollback()


@on_both_databases
def test_an_order_and_a_range_of_quantities_are_read_from_an_index(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = get_resource("products")
    monkeypatch.setattr(record_counts, "COUNT_LIMIT", 0)
    with app.app_context():
        fill_shop()
        save("products", *({"serial_number": f"Q-{place}", "title": "Q", "category": "Tools", "cost_price": "1",
              "sell_price": "2", "quantity": place} for place in range(1, 9)))  # fmt: skip
        page = queries.list_records(
            products, (), sort="-quantity", filters={"quantity_to": "7", "quantity_from": "3"}
        )
        quantities = {
            row.id: row.quantity for row in db.session.execute(select(Product.id, Product.quantity))
        }
        found = [quantities[row.id] for row in page.rows]
        assert found == sorted((item for item in quantities.values() if 3 <= item <= 7), reverse=True)
        query = RecordQuery(products)
        condition = where_filters(products, query, {"quantity_from": "3", "quantity_to": "7"})
        assert len(condition) == (1 if db.engine.dialect.name == "postgresql" else 2)
