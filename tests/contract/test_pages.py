"""The list and the record page of every resource: for whom, whole or in part, in how many queries."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.support.databases import on_both_databases
from tests.support.factories import save
from tests.support.houses import load_person, sign_in
from tests.support.pages import HTMX, is_fragment, soup
from webapp.extensions import db
from webapp.resources.base import Resource
from webapp.resources.registry import RESOURCES

# Hundreds of pages: too long for every commit, and in every full run.
pytestmark = pytest.mark.slow

EVERY_RESOURCE = pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))
EVERY_ROLE = pytest.mark.parametrize("person", ["viewer", "editor", "admin"])


def signed_in(app: Flask, person: str = "viewer") -> FlaskClient:
    """Return a browser in which somebody is signed in."""
    browser = app.test_client()
    sign_in(browser, load_person(app, person))
    return browser


@pytest.fixture
def reader(shop: Flask) -> FlaskClient:
    """The browser of somebody who may only look."""
    return signed_in(shop)


def first_id(app: Flask, resource: Resource) -> int:
    """Return the id of some record."""
    with app.app_context():
        found = db.session.scalar(select(func.min(resource.model.id)))
        assert found is not None
        return int(found)


@EVERY_RESOURCE
@EVERY_ROLE
def test_a_list_shows_every_declared_column_and_every_record(
    shop: Flask, resource: Resource, person: str
) -> None:
    page = soup(signed_in(shop, person).get(f"/{resource.name}/"))
    headers = [
        re.sub(r"\s+", " ", cell.get_text(" ", strip=True)) for cell in page.select("thead th:not(.is-tick)")
    ]
    assert headers == [field.label for field in resource.list_fields]
    with shop.app_context():
        count = db.session.scalar(select(func.count()).select_from(resource.model))
    assert len(page.select("tbody tr")) == count
    title = page.select_one("h1")
    assert title is not None
    assert resource.label_plural in title.get_text()


@EVERY_RESOURCE
@EVERY_ROLE
def test_a_record_page_shows_every_field(shop: Flask, resource: Resource, person: str) -> None:
    answer = signed_in(shop, person).get(f"/{resource.name}/{first_id(shop, resource)}")
    text = soup(answer).get_text(" ", strip=True)
    assert answer.status_code == 200
    for field in resource.fields:
        assert field.label in text


@EVERY_RESOURCE
def test_htmx_gets_the_rows_and_nothing_around_them(reader: FlaskClient, resource: Resource) -> None:
    part, whole = reader.get(f"/{resource.name}/", headers=HTMX), reader.get(f"/{resource.name}/")
    assert is_fragment(part)
    assert not is_fragment(whole)
    assert "HX-Request" in part.headers["Vary"]
    root = soup(part).select_one("#records")
    assert root is not None
    assert len(root.select("tbody tr")) == len(soup(whole).select("#records tbody tr")) > 0


@EVERY_RESOURCE
@pytest.mark.parametrize("header", ["HX-Boosted", "HX-History-Restore-Request"])
def test_a_boosted_visit_and_a_restored_one_get_the_whole_page(
    reader: FlaskClient, resource: Resource, header: str
) -> None:
    assert not is_fragment(reader.get(f"/{resource.name}/", headers=HTMX | {header: "true"}))


@EVERY_RESOURCE
def test_what_is_not_there_is_not_found(reader: FlaskClient, resource: Resource) -> None:
    for path in ("999999", "x", "-1", f"{2**70}"):
        answer = reader.get(f"/{resource.name}/{path}")
        assert answer.status_code == 404, path
        assert "Traceback" not in answer.text


@EVERY_RESOURCE
def test_nobody_sees_anything_without_signing_in(shop: Flask, resource: Resource) -> None:
    for path in (f"/{resource.name}/", f"/{resource.name}/{first_id(shop, resource)}"):
        answer = shop.test_client().get(path)
        assert answer.status_code in (302, 303)
        assert answer.headers["Location"].startswith("/login")
        assert "<td" not in answer.text


def test_an_empty_list_says_so(app: Flask) -> None:
    reader = signed_in(app)
    for resource in RESOURCES.values():
        page = soup(reader.get(f"/{resource.name}/"))
        assert page.select("tbody tr") == []
        assert f"No {resource.label_plural.lower()} yet" in page.get_text()


@EVERY_RESOURCE
def test_a_list_is_ordered_by_each_sortable_column_both_ways(reader: FlaskClient, resource: Resource) -> None:
    for field in (field for field in resource.fields if field.sortable):
        up, down = (_ids(reader, f"/{resource.name}/?sort={sign}{field.name}") for sign in ("", "-"))
        assert up == down[::-1], field.name


def _ids(reader: FlaskClient, url: str) -> list[str]:
    """Return the addresses of a list's records in their order."""
    rows = soup(reader.get(url)).select("tbody tr")
    return [str(row.select("a[href]")[0]["href"]) for row in rows]


@EVERY_RESOURCE
@pytest.mark.parametrize(
    "query",
    ["?q=no%20such%20thing%20anywhere", "?sort=nothing", "?cursor=%FF", "?cursor=W10", "?q=%25", "?q=%00"],
)
def test_a_strange_address_is_answered_with_a_page(
    reader: FlaskClient, resource: Resource, query: str
) -> None:
    assert reader.get(f"/{resource.name}/{query}").status_code == 200


UNUSABLE = (
    "/products/?q=%00",
    "/products/?category=%00",
    "/products/?title=%00",
    "/products/?quantity=99999999999",
    "/products/?cost_price=99999999999999",
    f"/products/{2**70}",
    f"/jobs/?before={10**30}",
    f"/imports/?before={10**30}",
    f"/notifications/?before=-{10**30}",
    "/jobs/%00",
    "/login?next=%00",
    "/products/find?serial_number=%00",
)


@on_both_databases
def test_what_a_database_cannot_look_for_is_no_crash(app: Flask) -> None:
    reader = signed_in(app)
    for address in UNUSABLE:
        answer = reader.get(address)
        assert answer.status_code < 500, address
        assert soup(answer).select_one("h1") or answer.status_code in (302, 303), address


def test_a_filter_that_cannot_be_read_is_said_and_left_out(reader: FlaskClient) -> None:
    page = soup(reader.get("/products/?quantity=many"))
    alert = page.select_one("[role=alert]")
    assert alert is not None
    assert "“many” is not a number." in alert.get_text()
    assert len(page.select("tbody tr")) == 3


def test_pages_lead_through_all_records_and_back(app: Flask) -> None:
    reader = signed_in(app)
    with app.app_context():
        save("brands", *({"name": f"Brand {number:03}"} for number in range(120)))
    url, seen, back = "/brands/", [], []
    while url:
        page = soup(reader.get(url))
        seen.append(_ids(reader, url))
        link = page.select_one("a[rel=next]")
        last, url = url, str(link["href"]) if link else ""
    assert [len(ids) for ids in seen] == [50, 50, 20]
    assert len({found for ids in seen for found in ids}) == 120
    url = last
    while url:
        back.append(_ids(reader, url))
        link = soup(reader.get(url)).select_one("a[rel=prev]")
        url = str(link["href"]) if link else ""
    assert back == seen[::-1]
