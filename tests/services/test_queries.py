"""Lists narrowed by bounds: numbers, amounts and days, both ends included."""

import pytest
from flask import Flask

from tests.support.databases import on_both_databases
from tests.support.factories import product, save, stock_up
from tests.support.houses import MakeApp
from webapp.errors import Invalid
from webapp.extensions import db
from webapp.resources.registry import RESOURCES, get_resource
from webapp.services import queries


def found(resource: str, **filters: str) -> list[str]:
    """The keys of the records that a list shows, sorted."""
    chosen = get_resource(resource)
    fields = [chosen.get_field(chosen.reference_field)]
    page = queries.list_records(chosen, fields, filters=filters)
    db.session.rollback()
    return sorted(row[1] for row in page.rows)


@pytest.fixture
def sao_paulo(make_app: MakeApp) -> Flask:
    """A shop three hours behind UTC, with a sale on each side of a local midnight."""
    app = make_app(APP_TIMEZONE="America/Sao_Paulo")
    with app.app_context():
        stock_up("A-1", quantity=9)
        for reference, moment in (
            ("late", "2026-03-02T02:59:59+00:00"),
            ("early", "2026-03-02T03:00:00+00:00"),
            ("last", "2026-03-03T02:59:59.999999+00:00"),
            ("next", "2026-03-03T03:00:00+00:00"),
        ):
            when = get_resource("outflows").get_field("occurred_at").type.parse(moment)
            save("outflows", {"reference": reference, "product": "A-1", "quantity": 1, "occurred_at": when})
    return app


@on_both_databases
def test_a_day_is_the_whole_day_of_the_house(sao_paulo: Flask) -> None:
    with sao_paulo.app_context():
        day = {"occurred_at_from": "2026-03-02", "occurred_at_to": "2026-03-02"}
        assert found("outflows", **day) == ["early", "last"]
        assert found("outflows", occurred_at_to="2026-03-01") == ["late"]
        assert found("outflows", occurred_at_from="2026-03-03") == ["next"]
        assert found("outflows", occurred_at_to="2026-03-02 00:00") == ["early", "late"]


@on_both_databases
def test_numbers_and_amounts_have_bounds_too(app: Flask) -> None:
    with app.app_context():
        save("categories", {"name": "Tools"})
        save("products", *(product(str(number), quantity=number) for number in range(5)))
        assert found("products", quantity_from="1", quantity_to="3") == ["1", "2", "3"]
        assert found("products", cost_price_to="2.49") == []
        assert found("products", cost_price_from="2.50", quantity_from="4") == ["4"]


def test_a_bound_that_is_no_number_is_refused_by_its_name(app: Flask) -> None:
    with app.app_context(), pytest.raises(Invalid) as refused:
        found("products", quantity_from="many")
    assert list(refused.value.problems) == ["quantity_from"]


def test_a_text_has_no_bounds(app: Flask) -> None:
    with app.app_context(), pytest.raises(Invalid):
        found("products", title_from="A")


@pytest.mark.parametrize("name", RESOURCES)
def test_every_filter_has_a_name_for_people(name: str) -> None:
    resource = get_resource(name)
    names = queries.list_filter_names(resource)
    assert {field.name for field in resource.fields} < set(names)
    assert all(str(queries.label_filter(resource, item)) for item in names)
