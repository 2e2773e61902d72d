"""What hangs on categories, brands, models and suppliers."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop, product, save
from webapp.extensions import db
from webapp.models import Product
from webapp.models.base import utc_now
from webapp.resources.registry import RESOURCES, get_resource
from webapp.services import record_totals
from webapp.services.record_related import list_related
from webapp.services.record_totals import (
    find_delivery_totals,
    find_product_totals,
    list_delivered_products,
)


def record_id(resource: str, name: str) -> int:
    """Return the id of a category, brand, model or supplier."""
    model = get_resource(resource).model
    found = db.session.scalars(select(model.id).where(model.name == name)).first()
    assert found is not None
    return int(found)


@on_both_databases
def test_totals_are_those_of_the_products_under_a_record(session: Session) -> None:
    fill_shop()
    tools = find_product_totals("categories", record_id("categories", "Tools"))
    assert (tools.products, tools.units, tools.value_at_cost) == (2, 8, Decimal("20.00"))
    assert tools.value_at_price == Decimal("39.20")
    bolt = find_product_totals("brands", record_id("brands", "Bolt"))
    assert (bolt.products, bolt.units) == (1, 8)
    acme = find_product_totals("brands", record_id("brands", "Acme"))
    assert (acme.products, acme.units, acme.value_at_cost) == (0, 0, Decimal(0))


@pytest.mark.parametrize("resource", ["categories", "brands"])
def test_many_products_have_the_dashboards_totals(
    session: Session, monkeypatch: pytest.MonkeyPatch, resource: str
) -> None:
    fill_shop()
    name = {"categories": "Tools", "brands": "Bolt"}[resource]
    exact = find_product_totals(resource, record_id(resource, name))
    monkeypatch.setattr(record_totals, "SUMMED_ROWS", 0)
    cached = find_product_totals(resource, record_id(resource, name))
    assert cached.computed_at is not None
    assert (cached.products, cached.units, cached.value_at_cost, cached.value_at_price) == (
        exact.products,
        exact.units,
        exact.value_at_cost,
        exact.value_at_price,
    )


def test_too_many_products_of_a_model_are_not_summed_up(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_shop()
    monkeypatch.setattr(record_totals, "SUMMED_ROWS", 0)
    used = db.session.scalars(select(Product.product_model_id).where(Product.product_model_id.is_not(None)))
    totals = find_product_totals("product_models", used.one() or 0)
    assert (totals.is_capped, totals.units) == (True, None)


@on_both_databases
def test_deliveries_are_those_of_the_last_days(session: Session) -> None:
    fill_shop()
    deliver("OLD", quantity=100, occurred_at=utc_now() - timedelta(days=91))
    deliver("NEW", quantity=4, unit_cost=Decimal("3.00"))
    found = find_delivery_totals(record_id("suppliers", "Northern"))
    assert (found.deliveries, found.units, found.cost) == (2, 7, Decimal("19.50"))


def deliver(reference: str, **values: Any) -> None:
    """Record a delivery of the supplier Northern."""
    row = {"reference": reference, "product": "00123", "supplier": "Northern"}
    save("inflows", row | values)


@on_both_databases
def test_each_delivered_product_comes_once_with_its_last_cost(session: Session) -> None:
    fill_shop()
    deliver("P-2", product="=1+1", quantity=1, occurred_at=utc_now() - timedelta(days=2))
    deliver("P-3", quantity=1, unit_cost=Decimal("9.99"), occurred_at=utc_now() + timedelta(minutes=1))
    rows = list_delivered_products(record_id("suppliers", "Northern"))
    assert [row.serial_number for row in rows] == ["00123", "=1+1"]
    assert rows[0].unit_cost == Decimal("9.99")


@on_both_databases
def test_what_points_at_a_record_is_found_through_others_too(session: Session) -> None:
    fill_shop()
    save("products", *(product(f"N-{number}") for number in range(12)))
    found = {
        (resource, item.resource.name): (
            item.count,
            [getattr(row, item.resource.title_field) for row in item.rows],
        )
        for resource, name in (("categories", "Tools"), ("brands", "Bolt"), ("suppliers", "Northern"))
        for item in list_related(get_resource(resource), record_id(resource, name), limit=3)
    }
    assert found["categories", "products"] == (14, ["Product N-11", "Product N-10", "Product N-9"])
    assert found["brands", "product_models"][0] == 1
    assert found["brands", "products"][0] == 1
    assert found["suppliers", "inflows"][0] == 1


def test_every_reference_is_followed(session: Session) -> None:
    fill_shop()
    pairs = {
        (name, item.resource.name)
        for name, resource in RESOURCES.items()
        for item in list_related(resource, 1, limit=1)
    }
    assert pairs == {
        ("categories", "products"),
        ("brands", "product_models"),
        ("brands", "products"),
        ("product_models", "products"),
        ("suppliers", "inflows"),
        ("products", "inflows"),
        ("products", "outflows"),
    }
