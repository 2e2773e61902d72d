"""The pages of one record: stock, movements, prices, what hangs on it, and what became of it."""

from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from tests.support.factories import fill_shop, save, stock_up
from tests.support.houses import load_person, sign_in
from tests.support.pages import HTMX, is_fragment, post, soup
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import DataImport, ImportJob, Product, TaskNotification

pytestmark = pytest.mark.slow


def signed_in(app: Flask, person: str) -> FlaskClient:
    """Return a browser in which somebody is signed in."""
    browser = app.test_client()
    sign_in(browser, load_person(app, person))
    return browser


def test_a_product_shows_its_stock_movements_and_prices(app: Flask) -> None:
    with app.app_context():
        stock_up("A", quantity=10)
        save("products", {"serial_number": "A", "sell_price": Decimal("6.00")})
        save("outflows", {"reference": "S-1", "product": "A", "quantity": 4})
    page = soup(signed_in(app, "viewer").get("/products/1"))
    figures = [figure.get_text(" ", strip=True) for figure in page.select(".figure")]
    assert figures[0].startswith("In stock 6")
    assert figures[3].startswith("Sold, 30 days 4")
    rows = [
        [cell.get_text(" ", strip=True) for cell in row.select("td")]
        for row in page.select("#movements tbody tr")
    ]
    assert [(row[2], row[3]) for row in rows] == [("\N{MINUS SIGN}4", "6"), ("+10", "10")]
    assert len(page.select("#stock-table tbody tr")) == 90
    assert [cell["data-value"] for cell in page.select("#stock-table tbody tr")[-1].select("td")] == [
        "6",
        "4",
        "10",
        "4",
    ]
    prices = page.select_one(".table-prices")
    assert prices is not None
    assert "before: $4.90 $6.00" in prices.get_text(" ", strip=True)


def test_older_movements_come_page_by_page(app: Flask) -> None:
    with app.app_context():
        stock_up("A", quantity=50)
        save("outflows", *({"reference": f"S-{n}", "product": "A", "quantity": 1} for n in range(30)))
    reader = signed_in(app, "viewer")
    link = soup(reader.get("/products/1")).select_one("#movements .pager a")
    assert link is not None
    older = reader.get(str(link["href"]), headers=HTMX)
    assert is_fragment(older)
    balances = [row.select("td")[3].get_text(strip=True) for row in soup(older).select("tbody tr")]
    assert balances == [str(number) for number in range(40, 51)]
    assert soup(reader.get(str(link["href"]))).select_one("h1") is not None


@pytest.mark.parametrize(("person", "is_linked"), [("editor", True), ("stranger", False), ("admin", True)])
def test_an_import_is_linked_for_those_who_may_open_it(app: Flask, person: str, *, is_linked: bool) -> None:
    owner = load_person(app, "editor")
    with app.app_context():
        stock_up("A")
        with write_transaction() as session:
            values = {
                "public_id": "abc",
                "resource": "inflows",
                "user_id": owner.id,
                "file_name": "goods.csv",
            }
            made = DataImport(**values, file_size=1, sha256="0", options={}, overrides={})
            session.add(made)
            session.flush()
            session.execute(insert(ImportJob).values(job_id=77, data_import_id=made.id, after_change=0))
        row = {"reference": "P-1", "product": "A", "quantity": 3}
        save("inflows", row, actor_id=owner.id, source="import", job_id=77)
    cell = soup(signed_in(app, person).get("/products/1")).select("#movements tbody tr td")[-1]
    assert cell.get_text(" ", strip=True).replace(" ,", ",") == "goods.csv, line 2 editor@shop.example"
    assert bool(cell.select("a[href='/imports/abc']")) is is_linked


def test_what_hangs_on_a_record_is_counted(app: Flask) -> None:
    with app.app_context():
        fill_shop()
        category_id = db.session.scalars(
            select(Product.category_id).where(Product.serial_number == "00123")
        ).one()
    page = soup(signed_in(app, "viewer").get(f"/categories/{category_id}"))
    assert page.select(".figure")[0].get_text(" ", strip=True) == "Products 2"
    assert page.select(".figure")[0]["href"] == "/products/?category=Tools"
    supplier = soup(signed_in(app, "viewer").get("/suppliers/1"))
    assert "Deliveries, 90 days 1" in supplier.get_text(" ", strip=True)
    assert supplier.select("[aria-labelledby=delivered-title] tbody tr")


@pytest.mark.parametrize(
    ("address", "selector"),
    [
        ("/inflows/?reference=P-1", "tbody td a.cell-link"),
        ("/inflows/3", ".fact"),
        ("/suppliers/1", ".plain-note"),
    ],
)
def test_a_movement_names_its_product_beside_the_number(app: Flask, address: str, selector: str) -> None:
    with app.app_context():
        fill_shop()
    page = soup(signed_in(app, "viewer").get(address))
    assert any('He said "no", twice' in found.get_text() for found in page.select(selector)), page


def test_the_address_of_a_deleted_record_tells_what_became_of_it(app: Flask) -> None:
    with app.app_context():
        save("brands", {"name": "Short-lived"})
    editor = signed_in(app, "editor")
    post(editor, "/brands/bulk", data={"action": "delete", "ids": "1", "confirmed": "yes", "expected": "1"})
    answer = editor.get("/brands/1")
    assert answer.status_code == 404
    heading = soup(answer).select_one("h1")
    assert heading is not None
    assert heading.get_text(" ", strip=True) == "History of Short-lived Deleted"


@pytest.mark.parametrize("person", ["viewer", "editor", "admin"])
def test_everybody_may_read_what_became_of_a_record(app: Flask, person: str) -> None:
    with app.app_context():
        save("brands", {"name": "Acme"})
    answer = signed_in(app, person).get("/brands/1/history")
    assert "Created" in soup(answer).get_text()
    assert signed_in(app, person).get("/brands/999/history").status_code == 404


@pytest.mark.parametrize(("person", "status"), [("viewer", 403), ("editor", 403), ("admin", 200)])
def test_the_audit_is_for_administrators(app: Flask, person: str, status: int) -> None:
    reader = signed_in(app, person)
    assert reader.get("/audit/").status_code == status
    allowed = post(reader, "/audit/exports").status_code
    assert allowed == (303 if status == 200 else 403)
    with app.app_context():
        assert bool(db.session.scalar(select(TaskNotification.id))) is (status == 200)


def test_the_audit_is_narrowed_by_its_address(app: Flask) -> None:
    with app.app_context():
        save("brands", {"name": "Acme"})
        save("suppliers", {"name": "<b>Bold</b>"})
    reader = signed_in(app, "admin")
    part = reader.get("/audit/?resource=suppliers", headers=HTMX)
    assert is_fragment(part)
    rows = soup(part).select("tbody tr")
    assert len(rows) == 1
    assert "<b>Bold</b>" in rows[0].get_text()
    translated = soup(reader.get("/audit/?resource=suppliers", headers={"Accept-Language": "pt-BR"}))
    assert translated.select("tbody .tag-word")[0].get_text() == "Criado"  # one record, not many
    for query in (
        "?record=%00",
        "?before=x",
        f"?before={2**70}",
        "?window=custom&since=0001-01-01",
        "?user=-1",
    ):
        assert reader.get(f"/audit/{query}").status_code == 200, query
