"""Import templates come back filled in; their example is known again and left out aloud."""

import io

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.houses import drain_queue
from tests.support.imports import apply, check, counts, reload_import, upload
from webapp.errors import NotFound
from webapp.models import Brand, Category, DataImport, User
from webapp.resources.registry import RESOURCES, get_resource
from webapp.services import import_templates, imports

pytestmark = on_both_databases


def upload_bytes(actor: User, resource: str, data: bytes) -> DataImport:
    made = imports.create_import(actor, resource, io.BytesIO(data), "template")
    drain_queue()
    return reload_import(made)


@pytest.mark.parametrize("language", ["en", pytest.param("pt_BR", marks=pytest.mark.slow)])
@pytest.mark.parametrize("file_format", ["csv", pytest.param("xlsx", marks=pytest.mark.slow)])
@pytest.mark.parametrize("resource", list(RESOURCES))
def test_a_template_maps_by_itself_and_its_example_is_left_out_aloud(
    session: Session, editor: User, resource: str, file_format: str, language: str
) -> None:
    name, data = import_templates.build_template(get_resource(resource), file_format, language)
    assert name.endswith(f".{file_format}")
    found = check(editor, upload_bytes(editor, resource, data))
    fields = {field.name for field in imports.mappable_fields(get_resource(resource))}
    assert set(found.mapping or {}) == fields
    report = (found.report or {})["check"]
    assert (report["example_rows"], sum(report["counts"].values())) == (1, 0)


def test_the_rows_below_the_example_are_taken(session: Session, editor: User) -> None:
    _, data = import_templates.build_template(get_resource("brands"), "csv", "en")
    found = upload_bytes(editor, "brands", data + b"Own,brand\r\n")
    assert counts(apply(editor, found)) == (1, 0, 0, 0)
    assert session.scalars(select(Brand.name)).all() == ["Own"]


def test_an_example_that_a_spreadsheet_has_rewritten_is_known(session: Session, editor: User) -> None:
    _, data = import_templates.build_template(get_resource("products"), "csv", "en")
    text = data.decode("utf-8-sig").replace("2.50", "2.5").replace("4.90", "4.9")
    found = check(editor, upload(editor, "products", text))
    assert (found.report or {})["check"]["example_rows"] == 1


def test_a_row_that_only_resembles_the_example_is_somebodys_own(session: Session, editor: User) -> None:
    found = upload(editor, "categories", "name\nBeverages\n")
    assert counts(apply(editor, found)) == (1, 0, 0, 0)
    assert session.scalar(select(func.count()).select_from(Category)) == 1


def test_only_the_first_row_can_be_the_example(session: Session, editor: User) -> None:
    _, data = import_templates.build_template(get_resource("brands"), "csv", "en")
    header, example = data.decode("utf-8-sig").splitlines()
    found = upload(editor, "brands", f"{header}\nOwn,x\n{example}\n")
    assert counts(apply(editor, found)) == (2, 0, 0, 0)


def test_the_texts_of_a_workbook_are_texts(session: Session) -> None:
    from python_calamine import load_workbook  # noqa: PLC0415

    _, data = import_templates.build_template(get_resource("products"), "xlsx", "en")
    rows = load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert rows[0][:2] == ["serial_number", "title"]
    assert rows[1][6:8] == ["2.50", "4.90"]


def test_an_unknown_format_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        import_templates.build_template(get_resource("products"), "pdf", "en")
