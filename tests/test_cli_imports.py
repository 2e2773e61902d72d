"""The commands of imports: look at a file, make it plain, import it here and now."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import quantity_of, save, stock_up
from webapp.extensions import db
from webapp.models import Brand, Category, DataImport, Outflow, Product, Supplier

pytestmark = on_both_databases


def run(app: Flask, *arguments: str | Path) -> tuple[int, str, str]:
    """Run a command and return its exit code and what it wrote to standard output and standard error."""
    result = app.test_cli_runner().invoke(args=[str(item) for item in arguments])
    db.session.rollback()
    return result.exit_code, result.stdout_bytes.decode(), result.stderr


def bring_in(app: Flask, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    code, output, errors = run(app, "imports", "run", *arguments)
    assert output, errors
    return code, json.loads(output)


def counts(job: dict[str, Any]) -> tuple[int, int, int, int]:
    return job["created"], job["updated"], job["unchanged"], job["failed"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


def test_inspect_prints_what_a_file_is_understood_to_be(app: Flask, session: Session, file: Path) -> None:
    file.write_bytes("Preço;Data\n1,50;13/02/2026\n".encode("cp1252"))
    code, output, _ = run(app, "imports", "inspect", file)
    found = json.loads(output)
    assert (code, found["encoding"], found["delimiter"], found["columns"]) == (
        0,
        "cp1252",
        ";",
        ["Preço", "Data"],
    )
    assert (found["decimal"], found["date_order"], found["rows"]) == (",", "dmy", 1)
    assert found["sample"] == [{"line": 2, "row": {"Preço": "1,50", "Data": "13/02/2026"}}]
    assert any("cp1252" in notice or "1252" in notice for notice in found["notices"])


def test_inspect_takes_a_persons_word(app: Flask, session: Session, file: Path) -> None:
    file.write_text("A title\nname;x\nAcme;1\n")
    _, output, _ = run(app, "imports", "inspect", file, "--delimiter", ";", "--header-line", "2")
    assert json.loads(output)["columns"] == ["name", "x"]


def test_inspect_normalize_writes_plain_csv(app: Flask, session: Session, file: Path) -> None:
    file.write_bytes('"n""ame";note\rA;"two\nlines"\r"x,y";\r'.encode("utf-16"))
    code, output, _ = run(app, "imports", "inspect", file, "--normalize")
    assert code == 0
    assert list(csv.reader(io.StringIO(output, newline=""))) == [
        ['n"ame', "note"],
        ["A", "two\nlines"],
        ["x,y", ""],
    ]
    assert output.startswith('"n""ame",note\r\n')


def test_inspect_normalize_names_the_rows_that_it_leaves_out(
    app: Flask, session: Session, file: Path
) -> None:
    file.write_text("a,b,c\n1,2,3\n1,2,3,4,5\n")
    code, output, errors = run(app, "imports", "inspect", file, "--normalize")
    assert (code, output) == (0, "a,b,c\r\n1,2,3\r\n")
    assert errors.startswith("Line 3: The row has 5 cells")


@pytest.mark.parametrize("command", [("inspect",), ("run", "brands")])
def test_what_is_no_table_gets_one_sentence(
    app: Flask, session: Session, file: Path, command: tuple[str, ...]
) -> None:
    file.write_bytes(b"%PDF-1.7 ...")
    code, output, errors = run(app, "imports", *command, file)
    assert (code, output) == (2, "")
    assert errors.startswith("Error: This is a PDF document")


def test_run_imports_a_file_as_one_job(app: Flask, session: Session, file: Path) -> None:
    file.write_text("name,description\nAcme,x\n,nameless\n")
    code, job = bring_in(app, "brands", file)
    assert (code, job["task_type"], job["status"], counts(job)) == (0, "import", "completed", (1, 0, 0, 1))
    assert session.scalars(select(DataImport.state)).all() == ["applied"]
    assert counts(bring_in(app, "brands", file)[1]) == (0, 0, 1, 1)


def test_all_or_nothing_saves_nothing_when_a_row_is_bad(app: Flask, session: Session, file: Path) -> None:
    file.write_text("name,description\nAcme,x\n,nameless\n")
    code, job = bring_in(app, "brands", file, "--on-error", "abort")
    assert (code, job["status"], counts(job)) == (1, "failed", (1, 0, 0, 1))
    assert job["error_message"].startswith("Nothing was saved, because of rows that cannot be taken: 1.")
    assert session.scalar(select(func.count()).select_from(Brand)) == 0


def test_all_or_nothing_saves_all_when_every_row_is_good(app: Flask, session: Session, file: Path) -> None:
    file.write_text("name\nAcme\nBolt\n")
    code, job = bring_in(app, "brands", file, "--on-error", "abort")
    assert (code, counts(job), job["processed"]) == (0, (2, 0, 0, 0), 2)


def test_a_dry_run_reports_and_saves_nothing(app: Flask, session: Session, file: Path) -> None:
    stock_up("A", quantity=3)
    file.write_text("reference,product,quantity\nS-1,A,2\nS-2,A,2\n")
    code, job = bring_in(app, "outflows", file, "--dry-run")
    assert (code, counts(job), quantity_of("A")) == (0, (1, 0, 0, 1), 3)
    (found,) = session.scalars(select(DataImport)).all()
    assert (found.state, (found.report or {})["check"]["stock"]["pieces_out"]) == ("checked", 2)


@pytest.mark.parametrize(("mode", "expected"), [("create", (1, 0, 0, 1)), ("update", (0, 1, 0, 1))])
def test_a_mode_refuses_the_other_kind_of_row(
    app: Flask, session: Session, file: Path, mode: str, expected: tuple[int, ...]
) -> None:
    save("brands", {"name": "Old"})
    file.write_text("name,description\nOld,x\nNew,y\n")
    assert counts(bring_in(app, "brands", file, "--mode", mode)[1]) == expected


def test_an_empty_cell_clears_by_choice(app: Flask, session: Session, file: Path) -> None:
    save("suppliers", {"name": "Northern", "phone": "1"})
    file.write_text("name,phone\nNorthern,\n")
    bring_in(app, "suppliers", file, "--empty", "clear")
    assert session.scalars(select(Supplier.phone)).all() == [None]


def test_repeated_movements_are_added_up_by_choice(app: Flask, session: Session, file: Path) -> None:
    stock_up("A", quantity=9)
    file.write_text("reference,product,quantity\nS-1,A,2\nS-1,A,3\n")
    bring_in(app, "outflows", file, "--repeated", "add_up")
    assert (quantity_of("A"), session.scalars(select(Outflow.quantity)).all()) == (4, [5])


def test_missing_records_are_created_by_choice(app: Flask, session: Session, file: Path) -> None:
    file.write_text("serial_number,title,category,cost_price,sell_price\nA,Tea,Drinks,1,2\n")
    assert counts(bring_in(app, "products", file)[1]) == (0, 0, 0, 1)
    assert counts(bring_in(app, "products", file, "--create-missing", "category")[1]) == (1, 0, 0, 0)
    assert session.scalars(select(Category.name)).all() == ["Drinks"]


def test_products_are_never_created_on_the_way(app: Flask, session: Session, file: Path) -> None:
    file.write_text("product,quantity\nA,1\n")
    code, _, errors = run(app, "imports", "run", "outflows", file, "--create-missing", "product")
    assert (code, "“product” is not a choice" in errors) == (2, True)
    assert session.scalars(select(DataImport)).all() == []


def test_dates_that_can_be_read_in_two_ways_want_an_answer(app: Flask, session: Session, file: Path) -> None:
    stock_up("A", quantity=9)
    file.write_text("reference,product,quantity,occurred_at\nS-1,A,1,03/04/2026\n")
    code, job = bring_in(app, "outflows", file)
    assert (code, job["status"]) == (1, "failed")
    assert "nothing tells the day from the month" in job["error_message"]
    assert counts(bring_in(app, "outflows", file, "--date-order", "dmy")[1]) == (1, 0, 0, 0)
    assert session.scalars(select(Outflow.occurred_at)).one().strftime("%d-%m") == "03-04"


def test_movements_without_a_reference_are_not_doubled_unasked(
    app: Flask, session: Session, file: Path
) -> None:
    stock_up("A", quantity=9)
    file.write_text("product,quantity\nA,2\n")
    assert bring_in(app, "outflows", file)[0] == 0
    code, job = bring_in(app, "outflows", file)
    assert (code, quantity_of("A")) == (1, 7)
    assert "already imported" in job["error_message"]
    assert bring_in(app, "outflows", file, "--confirm-repeat")[0] == 0
    assert quantity_of("A") == 5


def test_a_mapping_is_given_as_json(app: Flask, session: Session, file: Path) -> None:
    save("categories", {"name": "Beverages"})
    file.write_text("code,what,group,buy\nA,Tea,Bebidas,2\n")
    rules = {
        "serial_number": "code",
        "title": "what",
        "category": {"column": "group", "values": {"Bebidas": "Beverages"}},
        "cost_price": "buy",
        "sell_price": {"default": "9.50"},
    }
    assert counts(bring_in(app, "products", file, "--mapping", json.dumps(rules))[1]) == (1, 0, 0, 0)
    assert session.scalar(select(func.count()).select_from(Product)) == 1


@pytest.mark.parametrize(("text", "sentence"), [("{", "not JSON"), ("[]", "not a JSON object")])
def test_a_mapping_that_is_none_gets_a_sentence(
    app: Flask, session: Session, file: Path, text: str, sentence: str
) -> None:
    file.write_text("name\nAcme\n")
    code, _, errors = run(app, "imports", "run", "brands", file, "--mapping", text)
    assert (code, sentence in errors) == (2, True)


def test_an_unknown_kind_of_record_gets_a_sentence(app: Flask, session: Session, file: Path) -> None:
    file.write_text("name\nAcme\n")
    code, _output, error = run(app, "imports", "run", "spaceships", file)
    assert code == 2
    assert error.startswith("Error: There is no resource “spaceships”. Use one of: categories, brands,")
