"""What became of a record: for every resource and role, in as many queries however much has happened."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.support.databases import counted_queries
from tests.support.factories import fill_shop, save, stock_up
from tests.support.houses import load_person, sign_in
from tests.support.pages import HTMX, is_fragment, soup
from webapp.extensions import db
from webapp.resources.base import Resource
from webapp.resources.registry import RESOURCES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))
@pytest.mark.parametrize("person", ["viewer", "editor", "admin"])
def test_every_record_tells_how_it_was_made(shop: Flask, resource: Resource, person: str) -> None:
    browser = shop.test_client()
    sign_in(browser, load_person(shop, person))
    with shop.app_context():
        record_id = db.session.scalar(select(func.min(resource.model.id)))
    url = f"/{resource.name}/{record_id}/history"
    rows = soup(browser.get(url)).select("#history tbody tr")
    assert "Created" in rows[-1].get_text()
    assert resource.get_field(resource.title_field).label in rows[-1].get_text()
    assert is_fragment(browser.get(url, headers=HTMX))
    assert shop.test_client().get(url).status_code in (302, 303)


def test_the_queries_of_a_products_page_and_the_audit_stay_the_same(app: Flask) -> None:
    browser = app.test_client()
    sign_in(browser, load_person(app, "admin"))
    paths = ["/products/1", "/products/1/movements", "/products/1/history", "/audit/", "/audit/?source=form"]
    with app.app_context():
        fill_shop()
        save("outflows", {"reference": "S-2", "product": "=1+1", "quantity": 45})  # news for the bell
        before = {path: _count(browser, path) for path in paths}
        stock_up(*(f"N-{number}" for number in range(20)), quantity=3)
        for number in range(15):
            save("products", {"serial_number": "00123", "reorder_level": number + 1}, source="form")
            moved = {"reference": f"Q-{number}", "product": "00123", "quantity": 1}
            save("inflows", moved | {"supplier": "Northern"})
            save("outflows", moved)
        after = {path: _count(browser, path) for path in paths}
    assert after == {**before, "/audit/?source=form": before["/audit/"]}


def _count(browser: FlaskClient, path: str) -> int:
    with counted_queries() as found:
        assert browser.get(path).status_code == 200
    return len(found)
