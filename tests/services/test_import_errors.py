"""The rows that an import did not take: listed, filtered, grouped, and as a file that comes back."""

import csv
import io

import pytest
from flask_babel import force_locale
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import save, stock_up
from tests.support.imports import apply, check, counts, reload_import, upload
from webapp.extensions import db
from webapp.models import DataImport, User
from webapp.services import import_errors, imports

pytestmark = [on_both_databases, pytest.mark.slow]

SUPPLIERS = "name,email,phone\nA,bad,1\nB,b@b.example,2\n,worse,3\nD,bad,4\n"


def read_failed(found: DataImport, delimiter: str = ",") -> list[list[str]]:
    data = b"".join(import_errors.open_failed_rows(reload_import(found)))
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def lines(found: DataImport, **filters: str) -> list[int]:
    return [item.line for item in import_errors.list_row_errors(found, **filters)]  # type: ignore[arg-type]


def test_errors_are_filtered_by_reason_column_and_value(session: Session, editor: User) -> None:
    found = check(editor, upload(editor, "suppliers", SUPPLIERS))
    assert lines(found) == [2, 4, 5]
    message = import_errors.list_row_errors(found)[0].message
    assert lines(found, reason=message) == [2, 4, 5]
    assert lines(found, column="email") == [2, 4, 5]
    assert lines(found, column="name") == []
    assert lines(found, text="WOR") == [4]
    assert lines(found, text="%") == []


def test_equal_values_with_equal_reasons_are_one_group(session: Session, editor: User) -> None:
    found = check(editor, upload(editor, "suppliers", SUPPLIERS))
    groups = import_errors.group_row_errors(found)
    assert [(group.column, group.value, group.count, group.lines) for group in groups] == [
        ("email", "bad", 2, (2, 5)),
        ("email", "worse", 1, (4,)),
    ]
    assert str(groups[0].reason).startswith("“bad” is not an e-mail address.")


def test_the_groups_cost_a_few_queries_however_many_there_are(session: Session, editor: User) -> None:
    text = "name,email\n" + "".join(f"S{number},bad{number}\n" for number in range(60))
    found = check(editor, upload(editor, "suppliers", text))
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _k, text, *_: asked.append(text))
    assert len(import_errors.group_row_errors(found, limit=40)) == 40
    assert len(asked) <= 5


def test_the_failed_rows_come_as_a_file_with_the_reasons(session: Session, editor: User) -> None:
    found = upload(editor, "suppliers", SUPPLIERS)
    apply(editor, found)
    with force_locale("en"):
        rows = read_failed(found)
    assert rows[0] == ["name", "email", "phone", "import_problem"]
    assert [row[:3] for row in rows[1:]] == [["A", "bad", "1"], ["", "worse", "3"], ["D", "bad", "4"]]
    assert rows[1][3] == "email: “bad” is not an e-mail address. Write it as name@example.com."


def test_the_reasons_are_in_the_readers_language(session: Session, editor: User) -> None:
    found = check(editor, upload(editor, "products", "serial_number,title\nA,x\n"))
    with force_locale("pt_BR"):
        assert "Category" not in read_failed(found)[1][-1]


def test_the_file_of_failed_rows_has_the_columns_and_the_delimiter_of_the_first(
    session: Session, editor: User
) -> None:
    found = upload(editor, "suppliers", 'Fone;Nome;"E-mail";Extra\n1;"A; B";bad;=1+1\n')
    found = check(editor, found, {"name": "Nome", "email": "E-mail"})
    rows = read_failed(found, ";")
    assert rows[0] == ["Fone", "Nome", "E-mail", "Extra", "import_problem"]
    assert rows[1][:4] == ["1", "A; B", "bad", "'=1+1"]


def test_corrected_failed_rows_are_taken_when_they_are_uploaded_again(session: Session, editor: User) -> None:
    found = upload(editor, "suppliers", "name,email\nA,bad\n=B,worse\n")
    apply(editor, found)
    data = b"".join(import_errors.open_failed_rows(reload_import(found))).decode("utf-8-sig")
    again = upload(
        editor, "suppliers", data.replace("A,bad", "A,a@a.example").replace("worse", "x@x.example")
    )
    assert (again.report or {})["ignored_columns"] == []
    assert counts(apply(editor, again)) == (2, 0, 0, 0)
    assert imports.list_latest_jobs([again])[again.id].created == 2


def test_a_failed_row_that_fails_again_has_one_column_of_reasons(session: Session, editor: User) -> None:
    found = upload(editor, "suppliers", "name,email\nA,bad\n")
    apply(editor, found)
    data = b"".join(import_errors.open_failed_rows(reload_import(found))).decode("utf-8-sig")
    again = check(editor, upload(editor, "suppliers", data))
    assert read_failed(again)[0] == ["name", "email", "import_problem"]


def test_several_reasons_of_a_row_stand_together(session: Session, editor: User) -> None:
    stock_up("A")
    text = "serial_number,title,category,cost_price,sell_price\nB,x,Tools,cheap,dear\n"
    found = check(editor, upload(editor, "products", text))
    (_, row) = read_failed(found)
    assert row[-1].count("is not a number") == 2


@pytest.mark.parametrize("part", [2, 1000])
def test_a_long_file_of_failed_rows_is_written_in_parts(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(import_errors, "READ_AT_ONCE", part)
    text = "name,email\n" + "".join(f"S{number},bad\n" for number in range(7))
    found = check(editor, upload(editor, "suppliers", text))
    assert [row[0] for row in read_failed(found)[1:]] == [f"S{number}" for number in range(7)]


def test_the_rows_that_still_fail_are_counted(session: Session, editor: User) -> None:
    save("suppliers", {"name": "B"})
    found = check(editor, upload(editor, "suppliers", SUPPLIERS))
    assert import_errors.count_failed_rows(found) == 3
