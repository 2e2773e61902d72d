"""The pages of an import: asked, checked, applied, corrected and taken back by plain forms."""

import io
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse
from xlsxwriter import Workbook

from tests.support.databases import counted_queries
from tests.support.factories import quantity_of, save, stock_up
from tests.support.houses import drain_queue, load_person, sign_in
from tests.support.pages import HTMX, is_fragment, post, soup, token_of
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Brand, Category, DataImport, Inflow, Product
from webapp.resources.registry import RESOURCES

pytestmark = pytest.mark.slow  # together they take longer than a commit should

PRODUCTS = "SKU,Name,Group,Cost,Price,Colour\nA,Tea,Bebidas,1,2,green\nB,Coffee,Bebidas,2,3,black\nC,Cup,Tools,,9,white\n"


@pytest.fixture
def browser(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser of the editor's."""
    sign_in(client, load_person(app, "editor"))
    return client


def send(browser: FlaskClient, resource: str, text: str | bytes, name: str = "list.csv") -> str:
    """Upload a file by the form, let it be read, and return the address of its page."""
    data = {
        "csrf_token": token_of(browser),
        "resource": resource,
        "file": (io.BytesIO(text.encode() if isinstance(text, str) else text), name),
    }
    answer = browser.post("/imports/new", data=data)
    assert answer.status_code == 303, answer.text
    drain_queue()
    return answer.headers["Location"]


def form_of(page: BeautifulSoup, selector: str) -> tuple[str, dict[str, str]]:
    """Return where a form goes and what a browser would send of it without a touch."""
    form = page.select_one(selector)
    assert form is not None, page.get_text(" ", strip=True)
    sent = {}
    for control in form.select("input[name], select[name]"):
        name, kind = str(control["name"]), control.get("type")
        if control.name == "select":
            chosen = control.select_one("option[selected]") or control.select_one("option")
            sent[name] = str(chosen["value"]) if chosen else ""
        elif kind not in ("checkbox", "radio") or control.has_attr("checked"):
            sent[name] = str(control.get("value", ""))
    return str(form["action"]), sent


def submit(browser: FlaskClient, url: str, selector: str, **typed: str | None) -> TestResponse:
    """Send a form of a page with some controls changed (None: not sent), and let the work be done."""
    action, sent = form_of(soup(browser.get(url)), selector)
    data = {name: text for name, text in (sent | typed).items() if text is not None}
    answer = post(browser, action, data=data)
    drain_queue()
    return answer


def check(browser: FlaskClient, url: str, **typed: str | None) -> BeautifulSoup:
    """Check a file by its form and return the page with the report."""
    answer = submit(browser, url, "#mapping", **typed)
    assert answer.status_code == 303, soup(answer).get_text(" ", strip=True)
    return soup(browser.get(url))


def apply(browser: FlaskClient, url: str, **typed: str | None) -> BeautifulSoup:
    """Apply a checked file by its form and return the page with the result."""
    answer = submit(browser, url, "#apply", **typed)
    assert answer.status_code == 303, soup(answer).get_text(" ", strip=True)
    return soup(browser.get(url))


def bring_in(browser: FlaskClient, resource: str, text: str, **typed: str | None) -> str:
    """Upload, check and apply a file, and return the address of its page."""
    url = send(browser, resource, text)
    check(browser, url, **typed)
    apply(browser, url)
    return url


def tallies(page: BeautifulSoup) -> list[str]:
    """The counts on the cards: created, updated, unchanged, with errors."""
    return [item.get_text(strip=True) for item in page.select(".tallies dd")]


def text_of(page: BeautifulSoup | Tag | None) -> str:
    """What a page, or a part of it, says."""
    assert page is not None
    return " ".join(page.get_text(" ", strip=True).split())


def count(app: Flask, model: Any) -> int:
    """How many records there are."""
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


# -- Upload ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))
def test_the_upload_page_explains_every_field_and_offers_templates(
    browser: FlaskClient, resource: Any
) -> None:
    page = soup(browser.get(f"/imports/new?resource={resource.name}"))
    rows = page.select("#import-fields tbody tr")
    for field in resource.writable_fields:
        row = next(
            row for row in rows if row.select_one("code") and text_of(row.select_one("code")) == field.name
        )
        assert ("required" in text_of(row.select_one(".help-required"))) == field.required
    for link in page.select(".template-links a"):
        answer = browser.get(str(link["href"]))
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.data


def test_a_template_goes_back_in_and_its_example_is_ignored_aloud(app: Flask, browser: FlaskClient) -> None:
    template = browser.get("/imports/templates/suppliers.csv").data.decode("utf-8-sig")
    url = send(browser, "suppliers", template + "Real Foods,,,\r\n")
    page = check(browser, url)
    assert tallies(page) == ["1", "0", "0", "0"]
    assert "1 example row of the template is in the file. It is ignored." in text_of(page)


def test_an_unknown_template_is_not_there(browser: FlaskClient) -> None:
    assert browser.get("/imports/templates/suppliers.doc").status_code == 404
    assert browser.get("/imports/templates/nothing.csv").status_code == 404


# -- What was read --------------------------------------------------------------------------------


def test_a_file_is_read_again_as_somebody_says(app: Flask, browser: FlaskClient) -> None:
    url = send(browser, "brands", "name\nAcme\ntitle\nBolt\n")
    answer = submit(browser, url, "#reading form", **{"reading-header_line": "3"})
    assert answer.status_code == 303
    page = soup(browser.get(url))
    assert "column names on line 3" in text_of(page.select_one("#reading"))
    kept = page.select_one("#reading-header_line")
    assert kept is not None
    assert kept["value"] == "3"
    assert [text_of(cell) for cell in page.select(".table-sample tbody td")] == ["Bolt"]


def test_what_cannot_be_a_line_is_said_and_kept(browser: FlaskClient) -> None:
    url = send(browser, "brands", "name\nAcme\n")
    answer = submit(browser, url, "#reading form", **{"reading-header_line": "many"})
    page = soup(answer)
    assert answer.status_code == 422
    assert "“many” is not the number of a line." in text_of(page.select_one("[role=alert]"))
    typed = page.select_one("#reading-header_line")
    assert typed is not None
    assert typed["value"] == "many"


def test_a_reading_that_fails_can_be_decided_again(browser: FlaskClient) -> None:
    url = send(browser, "brands", "name\nAcme\nBolt\n")
    submit(browser, url, "#reading form", **{"reading-header_line": "500"})
    page = soup(browser.get(url))
    assert "The file cannot be read" in text_of(page.select_one("[role=alert]"))
    submit(browser, url, "#reading form", **{"reading-header_line": ""})
    assert text_of(soup(browser.get(url)).select_one("#reading")).startswith("What was read 2 rows")


def test_a_sheet_is_picked(browser: FlaskClient) -> None:
    buffer = io.BytesIO()
    with Workbook(buffer) as workbook:
        for name, brand in (("Old", "Acme"), ("New", "Bolt")):
            sheet = workbook.add_worksheet(name)
            sheet.write_column(0, 0, ("name", brand))
    url = send(browser, "brands", buffer.getvalue(), "brands.xlsx")
    assert [text_of(cell) for cell in soup(browser.get(url)).select(".table-sample tbody td")] == ["Acme"]
    submit(browser, url, "#reading form", **{"reading-sheet": "New"})
    page = soup(browser.get(url))
    assert [text_of(cell) for cell in page.select(".table-sample tbody td")] == ["Bolt"]
    assert "sheet New" in text_of(page.select_one("#reading summary"))


def test_a_decimal_sign_and_a_delimiter_are_decided(browser: FlaskClient) -> None:
    url = send(browser, "outflows", "product|quantity|unit_price\nA|1|1.234\n")
    choices = {"reading-decimal": ",", "reading-delimiter": "|", "reading-encoding": "cp1252"}
    submit(browser, url, "#reading form", **choices)
    summary = text_of(soup(browser.get(url)).select_one("#reading summary"))
    assert "CP1252 separated by bar decimal comma" in summary
    _, sent = form_of(soup(browser.get(url)), "#reading form")
    assert {name: sent[name] for name in choices} == choices


DATES = "reference,product,quantity,occurred_at\nS-1,A,1,03/04/2026\nS-2,A,1,05/05/2026\n"


def test_dates_that_can_be_read_two_ways_are_asked(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        stock_up("A", quantity=10)
    url = send(browser, "inflows", DATES)
    page = soup(browser.get(url))
    assert "what does 03/04/2026 mean?" in text_of(page.select_one("#date-questions"))
    readings = [text_of(item) for item in page.select("#date-questions .choice-title")]
    assert readings == ["April 3, 2026", "March 4, 2026"]

    refused = submit(browser, url, "#mapping")
    assert refused.status_code == 422
    alert = soup(refused).select_one("[role=alert] a")
    assert alert is not None
    assert alert["href"] == "#date-questions"

    submit(browser, url, "#date-questions", **{"date-order-occurred_at": "mdy"})
    page = soup(browser.get(url))
    assert page.select_one("#date-questions") is None
    check(browser, url)
    apply(browser, url)
    with app.app_context():
        days = db.session.scalars(select(Inflow.occurred_at).where(Inflow.reference == "S-1")).all()
        assert [(day.month, day.day) for day in days] == [(3, 4)]


# -- Matching -------------------------------------------------------------------------------------


def test_guesses_are_marked_and_unused_columns_shown(browser: FlaskClient) -> None:
    page = soup(browser.get(send(browser, "suppliers", "Suplier name,Colour\nNorthern,green\n")))
    assert "A guess: please check" in text_of(page.select_one("[data-map-row]"))
    unused = [item for item in page.select("[data-unused-column]") if not item.has_attr("hidden")]
    assert [text_of(item) for item in unused] == ["Colour ignored green"]


def test_a_matching_that_cannot_be_is_said_and_what_was_typed_stays(app: Flask, browser: FlaskClient) -> None:
    url = send(browser, "suppliers", "Supplier,Where\nNorthern,x\n")
    answer = submit(
        browser,
        url,
        "#mapping",
        **{"column-name": "", "default-phone": "0123", "on_error": "abort", "mode": "create"},
    )
    page = soup(answer)
    assert answer.status_code == 422
    assert "No column is chosen for Name" in text_of(page.select_one("[role=alert]"))
    _, sent = form_of(page, "#mapping")
    assert (sent["column-name"], sent["default-phone"], sent["on_error"], sent["mode"]) == (
        "", "0123", "abort", "create",
    )  # fmt: skip
    assert count(app, DataImport) == 1


def test_nothing_is_saved_by_a_check_and_everything_by_applying(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        save("brands", {"name": "Old", "description": "before"}, {"name": "Same"})
    url = send(browser, "brands", "name,description\nNew,n\nOld,after\nSame,\n,x\n")
    page = check(browser, url)
    assert tallies(page) == ["1", "1", "1", "1"]
    assert count(app, Brand) == 2
    report = page.select_one("#report")
    assert "Nothing is saved yet." in text_of(report)
    assert "Old line 3 Description before becomes → after" in text_of(report)
    assert "1 bad row is left out" in text_of(report)
    page = apply(browser, url)
    assert tallies(page) == ["1", "1", "1", "1"]
    assert "1 row could not be imported" in text_of(page.select_one("h2"))
    assert count(app, Brand) == 3


def test_the_effect_on_the_stock_is_shown_first(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        stock_up("A", "B", quantity=10)
    page = check(
        browser, send(browser, "outflows", "reference,product,quantity\nS-1,A,3\nS-2,B,1\nS-3,B,99\n")
    )
    stock = text_of(page.select_one("#report"))
    assert "4 pieces go out" in stock
    assert "Product A A 10 7" in stock
    with app.app_context():
        assert quantity_of("A") == 10


def test_words_are_matched_with_records(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        save("categories", {"name": "Tools"}, {"name": "Beverages"})
    url = send(browser, "products", PRODUCTS)
    page = check(browser, url, **{"default-cost_price": "1.50"})
    assert tallies(page) == ["1", "0", "0", "2"]
    table = page.select_one(".table-values tbody")
    assert text_of(table) == "Bebidas 2 2, 3"
    assert "Beverages" in [option["value"] for option in page.select("#names-category option")]

    page = check(browser, url, **{"record-category-0": "Beverages"})
    assert tallies(page) == ["3", "0", "0", "0"]
    _, sent = form_of(page, "#mapping")
    assert (sent["text-category-0"], sent["record-category-0"]) == ("Bebidas", "Beverages")
    apply(browser, url)
    assert (count(app, Product), count(app, Category)) == (3, 2)


def test_missing_records_are_created_by_choice(app: Flask, browser: FlaskClient) -> None:
    url = send(browser, "products", PRODUCTS)
    check(browser, url, **{"default-cost_price": "1.50"})
    page = check(browser, url, **{"create-category": "yes"})
    assert tallies(page) == ["3", "0", "0", "0"]
    assert "Also created: categories 2 Bebidas Tools" in text_of(page.select_one("#report"))
    assert count(app, Category) == 0
    apply(browser, url)
    assert (count(app, Product), count(app, Category)) == (3, 2)


def test_products_are_never_created_on_the_way(browser: FlaskClient) -> None:
    url = send(browser, "inflows", "reference,product,quantity\nS-1,A,1\n")
    page = check(browser, url)
    assert page.select_one("[name=create-product]") is None
    assert "import them as products first" in text_of(page.select_one(".values-card"))
    answer = submit(browser, url, "#mapping", **{"create-product": "yes"})
    assert answer.status_code == 422


def test_names_are_offered_while_one_is_typed(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        save("suppliers", {"name": "Northern Foods"}, {"name": "Southern"})
    answer = browser.get("/imports/names/suppliers?q=north", headers=HTMX)
    assert [option["value"] for option in soup(answer).select("option")] == ["Northern Foods"]


def test_a_matching_is_saved_used_and_deleted(browser: FlaskClient) -> None:
    first = send(browser, "suppliers", "who,reach\nNorthern,a@b.example\n")
    check(browser, first, **{"column-name": "who", "column-email": "reach"})
    assert submit(browser, first, ".profile-save", name="Price list").status_code == 303
    second = send(browser, "suppliers", "who,reach\nSouthern,c@d.example\n")
    assert submit(browser, second, "#profiles").status_code == 303
    _, sent = form_of(soup(browser.get(second)), "#mapping")
    assert (sent["column-name"], sent["column-email"]) == ("who", "reach")
    submit(browser, second, "#profiles", action="delete")
    assert soup(browser.get(second)).select_one("#profiles") is None


# -- Applying -------------------------------------------------------------------------------------


def test_only_if_every_row_is_good_offers_no_button_while_one_is_bad(browser: FlaskClient) -> None:
    url = send(browser, "brands", "name,description\nAcme,\n,x\n")
    page = check(browser, url, on_error="abort")
    assert page.select_one("#apply button") is None
    assert "You chose to import only if every row is good." in text_of(page.select_one("#apply"))
    answer = post(browser, f"{url}/application")
    assert answer.status_code == 422


def test_the_same_file_is_imported_again_only_when_that_is_confirmed(
    app: Flask, browser: FlaskClient
) -> None:
    with app.app_context():
        stock_up("A", quantity=1)
    text = "product,quantity\nA,5\n"
    bring_in(browser, "inflows", text)
    url = send(browser, "inflows", text)
    page = check(browser, url)
    warning = text_of(page.select_one("#confirm-repeat"))
    assert "This very file was imported before" in warning
    assert "editor@shop.example" in warning
    refused = submit(browser, url, "#apply")
    assert refused.status_code == 422
    with app.app_context():
        assert quantity_of("A") == 6
    apply(browser, url, confirm_repeat="yes")
    with app.app_context():
        assert quantity_of("A") == 11


def test_a_second_click_changes_nothing(app: Flask, browser: FlaskClient) -> None:
    url = send(browser, "brands", "name\nAcme\n")
    check(browser, url)
    for _ in range(2):
        assert post(browser, f"{url}/application").status_code == 303
    drain_queue()
    assert post(browser, f"{url}/application").status_code == 303
    assert count(app, Brand) == 1


# -- Afterwards -----------------------------------------------------------------------------------


BAD = "name,email\nNorthern,north\nSouthern,south\nEastern,same\nWestern,same\nGood,g@d.example\n"


def test_one_row_is_corrected_and_only_it_is_applied(app: Flask, browser: FlaskClient) -> None:
    url = bring_in(browser, "suppliers", BAD)
    form = soup(browser.get(f"{url}/rows/2"))
    assert "“north” is not an e-mail address." in text_of(form)
    answer = submit(browser, f"{url}/rows/2", ".row-cells", **{"cell-1": "north@shop.example"})
    assert answer.headers["Location"].endswith("#line-2")
    page = soup(browser.get(url))
    assert "1 row is corrected and waits to be imported." in text_of(page.select_one("#corrections"))
    submit(browser, url, "#corrections > form")
    page = soup(browser.get(url))
    assert tallies(page) == ["2", "0", "0", "3"]
    assert "north@shop.example" in browser.get("/suppliers/").text


def test_one_correction_serves_all_rows_with_the_value(app: Flask, browser: FlaskClient) -> None:
    url = bring_in(browser, "suppliers", BAD)
    page = soup(browser.get(url))
    place = next(
        number
        for number, form in enumerate(page.select(".fix-many"))
        if form.select_one("[name=old][value=same]")
    )
    action, sent = form_of(page, f".reason:nth-of-type({place + 1}) .fix-many")
    assert post(browser, action, data=sent | {"new": "s@m.example"}).status_code == 303
    page = soup(browser.get(url))
    assert "2 rows are corrected" in text_of(page.select_one("#corrections"))
    submit(browser, url, "#corrections > form")
    assert tallies(soup(browser.get(url))) == ["3", "0", "0", "2"]


def test_a_row_is_corrected_in_place_with_htmx(browser: FlaskClient) -> None:
    url = bring_in(browser, "suppliers", BAD)
    part = browser.get(f"{url}/rows/2", headers=HTMX)
    assert is_fragment(part)
    answer = post(browser, f"{url}/rows/2", data={"cell-1": "n@s.example"}, headers=HTMX)
    assert is_fragment(answer)
    assert answer.headers["HX-Trigger"] == "rows-fixed"
    assert "Corrected" in answer.text


def test_a_row_is_not_said_to_be_corrected_before_the_import_was_applied(browser: FlaskClient) -> None:
    url = send(browser, "suppliers", BAD)
    check(browser, url)
    assert post(browser, f"{url}/rows/2", data={"cell-1": "n@s.example"}).status_code == 303
    page = text_of(soup(browser.get(url)))
    assert "Rows can be corrected once the import was applied." in page
    assert "is corrected" not in page


def test_a_row_that_was_taken_cannot_be_corrected(browser: FlaskClient) -> None:
    url = bring_in(browser, "suppliers", BAD)
    for line in ("6", "99", str(2**70)):
        assert browser.get(f"{url}/rows/{line}").status_code == 404


def test_the_errors_are_narrowed_down(browser: FlaskClient) -> None:
    url = bring_in(browser, "suppliers", BAD + ",x@y.example\n")
    lines = lambda query: [  # noqa: E731
        text_of(cell) for cell in soup(browser.get(f"{url}/errors{query}")).select("tbody .is-line")
    ]
    assert lines("") == ["2", "3", "4", "5", "7"]
    assert lines("?text=sou") == ["3"]
    assert lines("?column=email") == ["2", "3", "4", "5"]
    assert lines("?text=nothing+like+it") == []


def test_the_failed_rows_come_back_as_a_file_that_can_be_corrected(app: Flask, browser: FlaskClient) -> None:
    url = bring_in(browser, "suppliers", BAD)
    answer = browser.get(f"{url}/failed-rows.csv")
    text = answer.data.decode("utf-8-sig")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert len(text.splitlines()) == 5
    assert "not an e-mail address" in text
    corrected = text.replace(",north", ",n@s.example").replace(",south", ",s@s.example").replace(",same", ",")
    again = send(browser, "suppliers", corrected)
    page = check(browser, again)
    assert tallies(page) == ["4", "0", "0", "0"]


def test_an_import_is_taken_back_after_a_preview(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        save("brands", {"name": "Old", "description": "before"})
    url = bring_in(browser, "brands", "name,description\nNew,n\nTouched,t\nOld,after\n")
    with app.app_context():
        save("brands", {"name": "Touched", "description": "by hand"})
    page = soup(browser.get(f"{url}/undo"))
    assert tallies(page) == ["1", "1", "1"]
    assert "Touched" in text_of(page.select_one("details[open]"))
    assert count(app, Brand) == 3
    assert submit(browser, f"{url}/undo", "main form").status_code == 303
    page = soup(browser.get(url))
    assert "This import was taken back" in text_of(page.select_one("h2"))
    assert "Touched" in text_of(page.select_one(".undo-list"))
    with app.app_context():
        brands = dict(db.session.execute(select(Brand.name, Brand.description)).all())
    assert brands == {"Old": "before", "Touched": "by hand"}


def test_a_record_names_the_import_that_touched_it(app: Flask, browser: FlaskClient) -> None:
    url = bring_in(browser, "brands", "name\nAcme\nBolt\n")
    note = soup(browser.get("/brands/2")).select_one(".record-import")
    assert text_of(note).startswith("Last touched by the import list.csv")
    assert ", line 3" in text_of(note)
    link = note.select_one("a") if note else None
    assert link is not None
    assert link["href"] == url
    stranger = app.test_client()
    sign_in(stranger, load_person(app, "viewer"))
    note = soup(stranger.get("/brands/2")).select_one(".record-import")
    assert text_of(note).startswith("Last touched by the import list.csv, line 3")
    assert note is not None
    assert note.select("a") == []


# -- For whom -------------------------------------------------------------------------------------


POSTS = (
    "reading",
    "check",
    "application",
    "undo",
    "profile",
    "profiles",
    "rows/2",
    "replacements",
    "corrections",
)


def test_whoever_may_only_read_decides_nothing(app: Flask, browser: FlaskClient) -> None:
    url = bring_in(browser, "suppliers", BAD)
    viewer = load_person(app, "viewer")
    with app.app_context(), write_transaction() as session:
        session.execute(update(DataImport).values(user_id=viewer.id))
    client = app.test_client()
    sign_in(client, viewer)
    for part in POSTS:
        assert post(client, f"{url}/{part}").status_code == 403, part
    page = soup(client.get(url))
    assert [form["action"] for form in page.select("main form[method=post]")] == []
    assert client.get("/imports/new").status_code == 403


def test_an_import_is_not_there_for_others(app: Flask, browser: FlaskClient) -> None:
    url = bring_in(browser, "suppliers", BAD)
    client = app.test_client()
    sign_in(client, load_person(app, "stranger"))
    for part in ("", "/errors", "/undo", "/failed-rows.csv", "/rows/2"):
        assert client.get(url + part).status_code == 404, part
    for part in POSTS:
        assert post(client, f"{url}/{part}").status_code == 404, part


def test_the_page_asks_again_only_while_a_job_runs(browser: FlaskClient) -> None:
    url = send(browser, "brands", "name\nAcme\n")
    assert soup(browser.get(url)).select("#import-state[hx-get]") == []
    action, sent = form_of(soup(browser.get(url)), "#mapping")
    post(browser, action, data=sent)
    running = browser.get(url, headers=HTMX)
    assert is_fragment(running)
    assert len(soup(running).select("#import-state[hx-get]")) == 1
    drain_queue()
    assert soup(browser.get(url)).select("#import-state[hx-get]") == []


def test_the_list_asks_for_all_its_jobs_at_once(app: Flask, browser: FlaskClient) -> None:
    def count_queries() -> int:
        with app.app_context(), counted_queries() as found:
            assert browser.get("/imports/").status_code == 200
        return len(found)

    send(browser, "brands", "name\nAcme\n")
    few = count_queries()
    for number in range(3):
        send(browser, "brands", f"name\nBrand {number}\n")
    assert count_queries() == few


def test_an_import_that_was_cancelled_can_go_on_or_be_taken_back(app: Flask, browser: FlaskClient) -> None:
    url = send(browser, "brands", "name\nAcme\n")
    check(browser, url)
    assert post(browser, f"{url}/application").status_code == 303
    running = soup(browser.get(url))
    cancel = running.select_one("form[action$='/cancellation']")
    assert cancel is not None
    assert post(browser, str(cancel["action"])).status_code == 303
    drain_queue()
    page = soup(browser.get(url))
    assert "The import was cancelled" in text_of(page.select_one("[role=alert]"))
    assert page.select_one("a[href$='/undo']") is not None
    retry = page.select_one("form[action$='/retries']")
    assert retry is not None
    post(browser, str(retry["action"]))
    drain_queue()
    assert "Everything was imported" in text_of(soup(browser.get(url)))
    assert count(app, Brand) == 1


def test_a_nameless_matching_is_refused(browser: FlaskClient) -> None:
    url = send(browser, "brands", "name\nAcme\n")
    check(browser, url)
    answer = submit(browser, url, ".profile-save", name=" ")
    assert answer.status_code == 422
    alert = soup(answer).select_one("[role=alert] a")
    assert alert is not None
    assert alert["href"] == "#profile-name"
