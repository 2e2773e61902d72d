"""Every page of records takes the number of queries that the ledger says, for every role, with any number of records."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop, product, save
from tests.support.houses import load_person, sign_in
from tests.support.ledger import LEDGER, Counts, count_queries, read_ledger, write_ledger
from webapp.extensions import db
from webapp.resources.registry import RESOURCES
from webapp.services import queries, record_counts

pytestmark = pytest.mark.slow  # hundreds of pages

COUNTED = 3  # of as many records as in the small shop; of a large one there are more


@pytest.fixture
def ids(app: Flask) -> dict[str, int]:
    """A small shop: the first id of every kind of record."""
    with app.app_context():
        fill_shop()
        found = {name: db.session.scalar(select(func.min(item.model.id))) for name, item in RESOURCES.items()}
        db.session.remove()
    return {name: int(one or 0) for name, one in found.items()}


def count_as(app: Flask, person: str, ids: dict[str, int]) -> Counts:
    """Return the queries of every page that somebody may see."""
    browser = app.test_client()
    sign_in(browser, load_person(app, person))
    browser.get("/account/")  # the first page of a session notes who came
    with app.app_context():
        return count_queries(browser, ids)


def add_many(app: Flask, number: int) -> None:
    """Save that many more records of every kind, all hanging on the first ones, too."""
    with app.app_context():
        names = [
            f"{number} A{place}" for place in range(number)
        ]  # found by their words, not by how they begin
        for resource in ("categories", "brands", "suppliers"):
            save(resource, *({"name": name} for name in names))
        save("product_models", *({"brand": "Bolt", "name": name} for name in names))
        model = {"product_model": "X-1", "brand": "Bolt"}
        save("products", *(product(name, quantity=9, reorder_level=9, **model) for name in names))
        save("inflows", *(movement(name, product="00123", supplier="Northern") for name in names))
        save("outflows", *(movement(name, product=name) for name in names))
        db.session.remove()


def movement(reference: str, **values: str) -> dict[str, object]:
    """Return the values of a movement of one piece."""
    return {"reference": reference, "quantity": 1, **values}


@on_both_databases
def test_every_page_takes_the_queries_of_the_ledger(
    app: Flask, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = count_as(app, "admin", ids)
    add_many(app, 5)
    assert count_as(app, "admin", ids) == few, "the number of queries grows with the records"
    monkeypatch.setattr(record_counts, "COUNT_LIMIT", COUNTED)
    monkeypatch.setattr(queries, "COUNT_LIMIT", COUNTED)
    many = count_as(app, "admin", ids)
    add_many(app, 60)
    assert count_as(app, "admin", ids) == many, "the number of queries grows with the records"
    written = write_ledger(few, many)
    assert LEDGER.read_text() == written, f"if that is meant, {LEDGER.name} becomes:\n{written}"


@pytest.mark.parametrize("person", ["viewer", "editor"])
def test_a_page_asks_the_same_for_every_role(app: Flask, ids: dict[str, int], person: str) -> None:
    found = count_as(app, person, ids)
    assert found == {page: count for page, count in read_ledger().items() if page in found}
    assert len(found) > len(read_ledger()) / 2
