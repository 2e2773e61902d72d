"""The forms of every resource: for whom, with which controls, whole or in part, in how many queries."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.support.databases import counted_queries
from tests.support.factories import fill_shop, save, stock_up
from tests.support.houses import load_person, sign_in
from tests.support.pages import HTMX, filled, is_fragment, post, soup
from webapp.extensions import db
from webapp.models import Change
from webapp.resources.base import Resource
from webapp.resources.registry import RESOURCES
from webapp.services.record_drafts import list_form_fields

# Hundreds of pages: too long for every commit, and in every full run.
pytestmark = pytest.mark.slow

EVERY_RESOURCE = pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))
WRITERS = pytest.mark.parametrize("person", ["editor", "admin"])
PAGES = ("new", "{id}/edit", "{id}/duplicate", "{id}/delete")
POSTS = ("", "{id}", "{id}/delete")
FORM = "form.form-card"


def signed_in(app: Flask, person: str) -> FlaskClient:
    """Return a browser in which somebody is signed in."""
    browser = app.test_client()
    sign_in(browser, load_person(app, person))
    return browser


@pytest.fixture
def writer(shop: Flask) -> FlaskClient:
    """The browser of somebody who may write."""
    return signed_in(shop, "editor")


def address(app: Flask, resource: Resource, path: str) -> str:
    """Return the address of a page, of the resource's first record where it is one of a record."""
    with app.app_context():
        return f"/{resource.name}/{path.format(id=db.session.scalar(select(func.min(resource.model.id))))}"


def count_changes(app: Flask) -> int:
    """Return how often anything was written."""
    with app.app_context():
        return db.session.scalar(select(func.count(Change.id))) or 0


@EVERY_RESOURCE
@WRITERS
@pytest.mark.parametrize("path", PAGES)
def test_who_may_write_gets_every_form(shop: Flask, resource: Resource, person: str, path: str) -> None:
    answer = signed_in(shop, person).get(address(shop, resource, path))
    assert answer.status_code == 200
    assert not is_fragment(answer)
    form = soup(answer).select_one(FORM)
    assert form is not None
    assert form["method"] == "post"
    assert form.select_one("[name=csrf_token]") is not None


@EVERY_RESOURCE
def test_a_viewer_is_told_kindly_and_writes_nothing(shop: Flask, resource: Resource) -> None:
    viewer, before = signed_in(shop, "viewer"), count_changes(shop)
    answers = [viewer.get(address(shop, resource, path)) for path in PAGES]
    answers += [post(viewer, address(shop, resource, path)) for path in POSTS]
    for answer in answers:
        assert answer.status_code == 403
        assert "Your role does not allow this" in soup(answer).get_text()
    assert count_changes(shop) == before


@EVERY_RESOURCE
def test_only_who_may_write_is_shown_the_buttons(shop: Flask, resource: Resource) -> None:
    wanted = {f"/{resource.name}/new"} | {address(shop, resource, path) for path in PAGES[1:]}
    for person, expected in (("viewer", set()), ("editor", wanted)):
        browser = signed_in(shop, person)
        pages = [soup(browser.get(address(shop, resource, path))) for path in ("", "{id}")]
        links = {str(link["href"]) for page in pages for link in page.select(".page-actions a")}
        assert links & wanted == expected, person


@EVERY_RESOURCE
@pytest.mark.parametrize("path", PAGES[:2])
def test_a_form_has_a_labelled_control_for_each_field_and_nothing_else(
    shop: Flask, writer: FlaskClient, resource: Resource, path: str
) -> None:
    page, is_new = soup(writer.get(address(shop, resource, path))), path == "new"
    fields = [field.name for field in list_form_fields(resource, is_new=is_new)]
    names = [name for name in filled(page, FORM) if name not in {"version", "seen"}]
    assert names == fields
    for name in fields:
        label = page.select_one(f"label[for=field-{name}]")
        assert label is not None
        assert label.get_text().startswith(resource.get_field(name).label)


@EVERY_RESOURCE
def test_a_form_that_is_saved_as_it_stands_changes_nothing(
    shop: Flask, writer: FlaskClient, resource: Resource
) -> None:
    before = count_changes(shop)
    url = address(shop, resource, "{id}")
    answer = post(writer, url, data=filled(soup(writer.get(f"{url}/edit")), FORM))
    assert answer.status_code == 303
    assert "Nothing was changed." in writer.get(answer.headers["Location"]).text
    assert count_changes(shop) == before


@EVERY_RESOURCE
def test_an_empty_form_names_each_field_that_it_needs(writer: FlaskClient, resource: Resource) -> None:
    answer = post(writer, f"/{resource.name}/")
    assert answer.status_code == 422
    page = soup(answer)
    for field in resource.writable_fields:
        assert (page.select_one(f"#field-{field.name}-error") is not None) == field.required, field.name


@EVERY_RESOURCE
def test_htmx_gets_a_form_for_a_dialog_and_the_options_of_a_reference(
    writer: FlaskClient, resource: Resource
) -> None:
    part = writer.get(f"/{resource.name}/new", headers=HTMX)
    assert is_fragment(part)
    assert soup(part).select_one(f"dialog form[hx-post='/{resource.name}/']") is not None
    options = writer.get(f"/{resource.name}/options?q=", headers=HTMX)
    assert is_fragment(options)
    assert soup(options).select("[role=option]") != []
    boosted = writer.get(f"/{resource.name}/new", headers=HTMX | {"HX-Boosted": "true"})
    assert not is_fragment(boosted)


@EVERY_RESOURCE
def test_a_form_of_what_is_not_there_is_not_found(writer: FlaskClient, resource: Resource) -> None:
    for path in ("edit", "duplicate", "delete"):
        assert writer.get(f"/{resource.name}/999999/{path}").status_code == 404
    assert post(writer, f"/{resource.name}/999999/delete").status_code == 404


@EVERY_RESOURCE
def test_nothing_that_is_typed_is_a_crash(app: Flask, resource: Resource) -> None:
    writer = signed_in(app, "editor")
    for text in ("\x00", "9" * 400, "-1", "'; --", "<b>", "\U0001f600", "1e999", "NaN"):
        typed = {field.name: text for field in resource.writable_fields if field.required}
        answer = post(writer, f"/{resource.name}/", data=typed)
        assert answer.status_code in (303, 400, 422), text


def test_the_queries_of_a_form_do_not_grow_with_what_there_is(app: Flask) -> None:
    writer = signed_in(app, "editor")
    with app.app_context():
        fill_shop()
        paths = [address(app, item, path) for item in RESOURCES.values() for path in (*PAGES, "options?q=a")]
        before = {path: _count_queries(writer, path) for path in paths}
        stock_up(*(f"N-{number}" for number in range(30)), quantity=5)
        save("suppliers", *({"name": f"More {number}"} for number in range(30)))
        assert {path: _count_queries(writer, path) for path in paths} == before
    assert max(before.values()) <= 12


def _count_queries(browser: FlaskClient, path: str) -> int:
    with counted_queries() as found:
        assert browser.get(path).status_code == 200
    return len(found)
