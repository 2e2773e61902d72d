"""Imports in the browser: real files in, matched by hand, checked, applied, corrected, taken back."""

import re
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from config import ROOT
from tests.browser.steps import (
    apply,
    check,
    column_for,
    download,
    open_list,
    sign_in,
    tallies,
    upload,
    wait_for_result,
)
from tests.support.browser import Visitor
from tests.support.factories import quantity_of, save, stock_up
from tests.support.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DATA = ROOT.parent / "shared" / "data"
NORTHWIND = DATA / "northwind"
ONLINE_RETAIL = DATA / "online_retail_sample.csv"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="../shared/data is not here")

NO_SCRIPT = [{"java_script_enabled": False}]
CATEGORIES = (
    "Beverages",
    "Condiments",
    "Confections",
    "Dairy Products",
    "Grains/Cereals",
    "Meat/Poultry",
    "Produce",
    "Seafood",
)
BAD = "name,email\nNorthern,north\nSouthern,unknown\nEastern,unknown\nGood,g@d.example\n"


@pytest.fixture
def page(stack: Stack, visitor: Visitor) -> Page:
    """An editor's page, with web and a worker running."""
    stack.start_web()
    stack.start_worker()
    sign_in(visitor.page, stack.url)
    return visitor.page


def card(page: Page, heading: str) -> Locator:
    """The part of the page under a heading."""
    return page.locator(".card").filter(has=page.get_by_role("heading", name=heading))


def default_for(page: Page, field: str) -> Locator:
    """What a field gets where the file has nothing."""
    return page.get_by_label(f"{field} if empty")


def unfold(page: Page, heading: str) -> None:
    """Open a part of the page that a check has folded up."""
    fold = page.locator("details.fold").filter(has=page.get_by_role("heading", name=heading))
    if fold.get_attribute("open") is None:
        fold.locator("> summary").click()


@needs_data
def test_the_northwind_shop_comes_in_with_its_numbers_matched_to_names(app: Flask, page: Page) -> None:
    for kind, column, count in (("Categories", "CategoryName", 8), ("Suppliers", "CompanyName", 29)):
        upload(page, kind, NORTHWIND / f"{kind.lower()}.csv")
        expect(column_for(page, "Name")).to_have_value(column)
        check(page)
        apply(page, count)
        wait_for_result(page, "Everything was imported")

    upload(page, "Products", NORTHWIND / "products.csv")
    expect(column_for(page, "Category")).to_have_value("CategoryID")
    column_for(page, "Cost price").select_option("UnitPrice")
    column_for(page, "Sell price").select_option("UnitPrice")
    check(page)
    assert tallies(page) == [0, 0, 0, 77]
    for number, name in enumerate(CATEGORIES, 1):
        word = page.get_by_role("row", name=re.compile(rf"^{number} ")).get_by_role("combobox")
        word.fill(name[:4])
        expect(page.locator(f"#names-category option[value='{name}']")).to_have_count(1)
        expect(page.locator("#names-category option")).to_have_count(2 if name == "Produce" else 1)
        word.fill(name)
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("button", name="Import 77 rows")).to_be_visible()
    expect(card(page, "Effect on the stock")).to_contain_text("3,119 pieces come in")
    apply(page, 77)
    wait_for_result(page, "Everything was imported")
    with app.app_context():
        assert quantity_of("75") == 125  # Rhönbräu Klosterbier

    upload(page, "Outflows", NORTHWIND / "orders.csv")
    expect(column_for(page, "Product")).to_have_value("ProductID")
    expect(column_for(page, "Date")).to_have_value("OrderDate")
    check(page)
    created, _updated, _unchanged, failed = tallies(page)
    assert created + failed == 2155
    assert created > 200
    assert failed > 1500  # much more was sold than the sample has in stock
    apply(page, created)
    wait_for_result(page, f"{failed:,} rows could not be imported")
    assert tallies(page) == [created, 0, 0, failed]


@needs_data
def test_the_online_retail_sample_comes_in_as_goods_and_as_movements(app: Flask, page: Page) -> None:
    upload(page, "Products", ONLINE_RETAIL)
    expect(page.get_by_role("heading", name="One question about your dates")).to_be_visible()
    answer_dates(page)
    column_for(page, "Serial number").select_option("StockCode")
    column_for(page, "Title").select_option("Description")
    for field in ("Cost price", "Sell price"):
        column_for(page, field).select_option("UnitPrice")
    column_for(page, "Quantity").select_option("")
    default_for(page, "Category").fill("Gifts")
    check(page)
    assert tallies(page)[0] == 0
    page.get_by_label("Create the missing ones").check()
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_text("Also created: categories")).to_be_visible()
    created, updated, _unchanged, failed = tallies(page)
    assert created > 300
    apply(page, created + updated)
    expect(page.get_by_role("heading", name=re.compile("imported$"))).to_be_visible()

    upload(page, "Inflows", ONLINE_RETAIL)
    answer_dates(page)
    for field, column in (("Reference", "InvoiceNo"), ("Product", "StockCode"), ("Date", "InvoiceDate")):
        expect(column_for(page, field)).to_have_value(column)
    unfold(page, "How to import")
    page.get_by_label("Add the quantities up").check()
    check(page)
    expect(page.get_by_text("pieces come in")).to_be_visible()
    expect(page.get_by_text("is less than 1").first).to_be_visible()  # goods that came back
    created, updated, _unchanged, failed = tallies(page)
    assert created > 900
    assert 0 < failed < 50
    apply(page, created + updated)
    wait_for_result(page, re.compile("could not be imported").pattern)


def answer_dates(page: Page) -> None:
    """Say that the file is an American one."""
    page.get_by_role("radio", name=re.compile("the month comes first")).check()
    page.get_by_role("button", name="Read it this way").click()
    expect(page.get_by_role("heading", name="Match columns")).to_be_visible()
    expect(page.get_by_role("heading", name="One question about your dates")).to_have_count(0)


@pytest.fixture
def bad_file(tmp_path: Path) -> Path:
    """Three suppliers with addresses that are none, and a good one."""
    file = tmp_path / "suppliers.csv"
    file.write_text(BAD)
    return file


def bring_in_bad_rows(page: Page, file: Path) -> None:
    """Import what is good of a file with bad rows."""
    upload(page, "Suppliers", file)
    check(page)
    expect(card(page, "What would happen")).to_contain_text("3 bad rows are left out")
    apply(page, 1)
    wait_for_result(page, "3 rows could not be imported")


def test_bad_rows_are_corrected_on_the_page_one_and_many(
    page: Page, visitor: Visitor, bad_file: Path
) -> None:
    bring_in_bad_rows(page, bad_file)
    visitor.mark()
    row = page.get_by_role("row").filter(has_text="“north” is not an e-mail address.")
    row.get_by_role("link", name="Correct line 2").click()
    wrong = page.get_by_label("email", exact=True)
    expect(wrong).to_have_value("north")
    expect(wrong).to_be_focused()
    wrong.fill("north@shop.example")
    page.get_by_role("button", name="Keep the correction").click()
    expect(page.get_by_text("1 row is corrected and waits to be imported.")).to_be_visible()
    expect(page.locator("#line-2")).to_contain_text("Corrected")
    expect(page.get_by_role("link", name="Correct line 2")).to_be_focused()
    page.get_by_role("link", name="Correct line 3").click()
    page.get_by_role("link", name="Leave it").click()
    expect(page.get_by_role("link", name="Correct line 3")).to_be_visible()
    assert visitor.is_marked(), "the page was reloaded"

    page.get_by_label("What “unknown” in email should be").fill("both@shop.example")
    page.get_by_role("button", name="Correct 2 rows").click()
    expect(page.get_by_text("3 rows are corrected and wait to be imported.")).to_be_visible()
    page.get_by_role("button", name="Import 3 corrected rows").click()
    wait_for_result(page, "Everything was imported")
    assert tallies(page) == [4, 0, 0, 0]
    rows = open_list(page, "Suppliers")
    expect(rows.filter(has_text="both@shop.example")).to_have_count(2)
    rows.filter(has_text="Northern").get_by_role("link", name="Northern").click()
    expect(page.locator(".record-import")).to_contain_text("suppliers.csv, line 2")


def test_failed_rows_are_downloaded_corrected_and_uploaded_again(
    page: Page, bad_file: Path, tmp_path: Path
) -> None:
    bring_in_bad_rows(page, bad_file)
    text = download(page, page.get_by_role("link", name="Download the rows to correct")).decode("utf-8-sig")
    assert [line.split(",")[0] for line in text.splitlines()] == ["name", "Northern", "Southern", "Eastern"]
    assert "is not an e-mail address" in text
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(text.replace(",north,", ",n@s.example,").replace(",unknown,", ",u@s.example,"))
    upload(page, "Suppliers", corrected)
    check(page)
    apply(page, 3)
    wait_for_result(page, "Everything was imported")
    expect(open_list(page, "Suppliers")).to_have_count(1 + 4)


def test_the_same_file_twice_asks_and_both_are_taken_back(app: Flask, page: Page, tmp_path: Path) -> None:
    with app.app_context():
        stock_up("A", quantity=10)
    file = tmp_path / "delivery.csv"
    file.write_text("product,quantity\nA,5\n")
    for turn in range(2):
        upload(page, "Inflows", file)
        check(page)
        question = page.get_by_label("I know. Import it again.")
        if turn:
            expect(page.get_by_text("This very file was imported before")).to_be_visible()
            question.check()
        else:
            expect(question).to_have_count(0)
        apply(page, 1)
        wait_for_result(page, "Everything was imported")
    with app.app_context():
        assert quantity_of("A") == 20

    page.get_by_role("link", name="Take it back").click()
    expect(page.get_by_role("heading", name="Take the import back?")).to_be_visible()
    assert tallies(page) == [1, 0, 0]
    page.get_by_role("button", name="Take it back").click()
    wait_for_result(page, "This import was taken back")
    with app.app_context():
        assert quantity_of("A") == 15


def test_what_somebody_touched_since_is_kept_and_named(app: Flask, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "brands.csv"
    file.write_text("name,description\nAcme,a\nBolt,b\n")
    upload(page, "Brands", file)
    check(page)
    apply(page, 2)
    wait_for_result(page, "Everything was imported")
    with app.app_context():
        save("brands", {"name": "Bolt", "description": "changed by hand"})
    page.get_by_role("link", name="Take it back").click()
    expect(page.get_by_role("heading", name="Take the import back?")).to_be_visible()
    assert tallies(page) == [1, 0, 1]
    expect(page.get_by_role("listitem").filter(has_text="Bolt")).to_be_visible()
    page.get_by_role("button", name="Take it back").click()
    wait_for_result(page, "This import was taken back")
    expect(open_list(page, "Brands")).to_have_count(1 + 1)


def test_the_page_waits_while_somebody_fills_in_the_form(
    page: Page, visitor: Visitor, bad_file: Path
) -> None:
    upload(page, "Suppliers", bad_file)
    expect(page.get_by_role("heading", name="Match columns")).to_be_visible()
    visitor.mark()
    default = default_for(page, "Phone")
    default.fill("+1 555")
    page.evaluate(
        "for (const name of ['jobs-changed', 'metrics-updated']) document.body.dispatchEvent(new Event(name))"
    )
    page.wait_for_timeout(6000)  # longer than any clock of the page
    expect(default).to_have_value("+1 555")
    assert visitor.is_marked()


def test_a_change_after_the_check_must_be_checked_first(page: Page, bad_file: Path) -> None:
    upload(page, "Suppliers", bad_file)
    check(page)
    button = page.get_by_role("button", name="Import 1 row")
    expect(button).to_be_enabled()
    unfold(page, "Match columns")
    column_for(page, "E-mail").select_option("")
    expect(button).to_be_disabled()
    expect(page.get_by_text("You changed something above.")).to_be_visible()
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("button", name="Import 4 rows")).to_be_enabled()


@pytest.mark.parametrize("window", NO_SCRIPT, indirect=True, ids=["no script"])
def test_correcting_and_taking_back_work_without_javascript(page: Page, bad_file: Path) -> None:
    upload(page, "Suppliers", bad_file)
    reload_until(page, "Match columns")
    page.get_by_role("button", name=re.compile("^Check ")).click()
    reload_until(page, "What would happen")
    apply(page, 1)
    reload_until(page, "3 rows could not be imported")
    page.get_by_role("link", name="Correct line 2").click()
    page.get_by_label("email", exact=True).fill("n@s.example")
    page.get_by_role("button", name="Keep the correction").click()
    page.get_by_role("button", name="Import 1 corrected row").click()
    reload_until(page, "2 rows could not be imported")
    page.get_by_label("Find in the values").fill("unknown")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("row")).to_have_count(1 + 2)
    page.go_back()
    page.get_by_role("link", name="Take it back").click()
    page.get_by_role("button", name="Take it back").click()
    reload_until(page, "This import was taken back")


def reload_until(page: Page, heading: str) -> None:
    """Do what the page without scripts does by itself, only sooner."""
    found = page.get_by_role("heading", name=heading)
    for _ in range(100):
        if found.is_visible():
            return
        page.wait_for_timeout(200)
        page.reload()
    expect(found).to_be_visible()
