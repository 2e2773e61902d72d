"""Saved profiles: one supplier's decisions, used for the next file."""

import pytest
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import stock_up
from tests.support.houses import drain_queue
from tests.support.imports import apply, check, counts, reload_import, upload
from webapp.errors import Conflict, Invalid, NotFound
from webapp.models import DataImport, ImportProfile, User
from webapp.services import import_profiles, imports

pytestmark = on_both_databases

MAPPING = {
    "name": {"column": "Firma", "default": "", "values": {}},
    "phone": {"column": None, "default": "n/a", "values": {}},
}


def save_one(actor: User, name: str = "Northern") -> tuple[DataImport, ImportProfile]:
    found = check(actor, upload(actor, "suppliers", "Firma,x\nA,1\n"), MAPPING, empty="clear")
    return found, import_profiles.save_profile(actor, found.public_id, name)


def test_a_profile_brings_mapping_and_options_to_another_file(session: Session, editor: User) -> None:
    _, profile = save_one(editor)
    next_file = upload(editor, "suppliers", "y,FIRMA\n1,B\n")
    found = import_profiles.apply_profile(editor, next_file.public_id, profile.id)
    assert found.mapping == {
        "name": {"column": "FIRMA", "default": "", "values": {}},
        "phone": {"column": None, "default": "n/a", "values": {}},
    }
    assert found.options["empty"] == "clear"
    assert (found.report or {})["suggestions"] == {"name": "remembered"}
    assert (found.report or {})["ignored_columns"] == ["y"]
    assert counts(apply(editor, reload_import(found), None, **found.options)) == (1, 0, 0, 0)


def test_a_field_whose_column_is_missing_is_left_out(session: Session, editor: User) -> None:
    _, profile = save_one(editor)
    next_file = upload(editor, "suppliers", "company,email\nB,b@b.example\n")
    found = import_profiles.apply_profile(editor, next_file.public_id, profile.id)
    assert found.mapping == {"phone": {"column": None, "default": "n/a", "values": {}}}


def test_a_profile_answers_what_a_file_leaves_open_about_its_dates(session: Session, editor: User) -> None:
    stock_up("A", quantity=9)
    text = "reference,product,quantity,occurred_at\nS-1,A,1,03/04/2026\n"
    first = upload(editor, "outflows", text)
    imports.read_again(editor, first.public_id, {"date_order": "dmy"})
    drain_queue()
    profile = import_profiles.save_profile(editor, first.public_id, "Dates")
    second = upload(editor, "outflows", text.replace("S-1", "S-2"))
    import_profiles.apply_profile(editor, second.public_id, profile.id)
    assert (reload_import(second).dialect or {})["date_order"] == "dmy"
    assert counts(apply(editor, reload_import(second))) == (1, 0, 0, 0)


def test_the_same_name_replaces_and_profiles_are_listed_by_name(session: Session, editor: User) -> None:
    found, first = save_one(editor)
    import_profiles.save_profile(editor, found.public_id, "  Another ")
    again = import_profiles.save_profile(editor, found.public_id, "Northern")
    assert again.id == first.id
    listed = import_profiles.list_profiles(editor, "suppliers")
    assert [profile.name for profile in listed] == ["Another", "Northern"]
    assert import_profiles.list_profiles(editor, "brands") == []


def test_profiles_belong_to_their_user(session: Session, editor: User, stranger: User) -> None:
    _, profile = save_one(editor)
    theirs = upload(stranger, "suppliers", "Firma\nA\n")
    assert import_profiles.list_profiles(stranger, "suppliers") == []
    for attempt in (
        lambda: import_profiles.apply_profile(stranger, theirs.public_id, profile.id),
        lambda: import_profiles.delete_profile(stranger, profile.id),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_a_profile_is_for_one_kind_of_record(session: Session, editor: User) -> None:
    _, profile = save_one(editor)
    other = upload(editor, "brands", "name\nA\n")
    with pytest.raises(NotFound):
        import_profiles.apply_profile(editor, other.public_id, profile.id)


def test_a_profile_is_deleted(session: Session, editor: User) -> None:
    _, profile = save_one(editor)
    import_profiles.delete_profile(editor, profile.id)
    assert import_profiles.list_profiles(editor, "suppliers") == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_a_name_that_cannot_be_is_refused(session: Session, editor: User, name: str) -> None:
    found, _ = save_one(editor)
    with pytest.raises(Invalid, match="between one and 100"):
        import_profiles.save_profile(editor, found.public_id, name)


def test_a_profile_is_chosen_before_the_apply(session: Session, editor: User) -> None:
    found, profile = save_one(editor)
    apply(editor, found, MAPPING)
    with pytest.raises(Conflict):
        import_profiles.apply_profile(editor, found.public_id, profile.id)
