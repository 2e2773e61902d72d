import re
from urllib.parse import urldefrag

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from tests.support.houses import load_person, sign_in
from webapp.api.docs import METHODS
from webapp.api.problems import DETAILS, TITLES
from webapp.api.specification import get_specification

pytestmark = pytest.mark.slow


def read_page(app: Flask, client: FlaskClient) -> BeautifulSoup:
    sign_in(client, load_person(app, "viewer"))
    return BeautifulSoup(client.get("/api/v1/docs").text, "lxml")


def test_the_page_shows_every_operation_and_every_shape(app: Flask, client: FlaskClient) -> None:
    page = read_page(app, client)
    with app.app_context():
        found = get_specification()
    shown = {line.get_text(" ", strip=True) for line in page.select(".api-line")}
    assert shown == {
        f"{method.upper()} {path}"
        for path, item in found["paths"].items()
        for method in METHODS
        if method in item
    }
    rows = {part["id"]: len(part.select("tbody tr")) for part in page.select("#schemas details")}
    schemas = found["components"]["schemas"]
    assert rows == {f"schema-{name}": len(schema["properties"]) for name, schema in schemas.items()}


def test_every_link_of_the_page_leads_somewhere(app: Flask, client: FlaskClient) -> None:
    page = read_page(app, client)
    ids = [str(tag["id"]) for tag in page.select("[id]")]
    assert len(ids) == len(set(ids))
    for link in page.select(".api-page a[href^='#']"):
        assert urldefrag(str(link["href"])).fragment in ids
    assert {f"problem-{status}" for status in TITLES} <= set(ids)  # what the type of a problem links to
    assert TITLES.keys() == DETAILS.keys()


def test_the_page_is_for_people(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/api/v1/docs")
    assert re.match("/login", answer.headers["Location"])
