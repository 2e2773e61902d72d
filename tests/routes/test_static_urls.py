"""Every stylesheet of ours is on every page, under an address that browsers may keep for ever."""

import re

from flask.testing import FlaskClient

from config import ROOT
from webapp.routes.static_urls import STYLESHEETS

ELSEWHERE = {"api", "print"}  # of the API's page, and of a PDF


def test_pages_link_every_stylesheet_once() -> None:
    files = {path.stem for path in (ROOT / "static" / "css").glob("*.css")}
    assert len(STYLESHEETS) == len(set(STYLESHEETS))
    assert set(STYLESHEETS) == files - ELSEWHERE


def test_the_addresses_lead_to_files_that_may_be_kept(client: FlaskClient) -> None:
    page = client.get("/login").get_data(as_text=True)
    addresses = re.findall(r'href="(/static/css/[^"]+)"', page)
    assert len(addresses) == len(STYLESHEETS)
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        answer.close()
