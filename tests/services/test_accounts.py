"""Users and their passwords."""

import pytest
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash

from tests.support.databases import on_both_databases
from tests.support.houses import PASSWORD, email_of
from webapp.database import write_transaction
from webapp.errors import Forbidden, Invalid, NotFound
from webapp.models import User
from webapp.services import accounts, passwords, user_sessions
from webapp.services.user_sessions import Place

pytestmark = pytest.mark.slow  # together they take longer than a commit should


@on_both_databases
def test_the_right_password_lets_in_whatever_the_case_of_the_address(session: Session) -> None:
    user = accounts.authenticate(email_of("editor").upper(), PASSWORD)
    assert user is not None
    assert user.email == email_of("editor")


@pytest.mark.parametrize(
    ("email", "password"), [(email_of("editor"), PASSWORD + "!"), ("nobody@shop.example", PASSWORD), ("", "")]
)
def test_a_wrong_password_and_an_unknown_address_are_answered_alike(
    session: Session, email: str, password: str
) -> None:
    assert accounts.authenticate(email, password) is None


def test_an_unknown_address_costs_a_hash_too(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    def check(stored: str, password: str) -> bool:
        checked.append(stored.split("$", maxsplit=1)[0])
        return check_password_hash(stored, password)

    monkeypatch.setattr(passwords, "check_password_hash", check)
    accounts.authenticate("nobody@shop.example", "x")
    assert checked == [passwords.HASH_METHOD]


def test_a_user_without_a_password_costs_a_hash_and_never_gets_in(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = accounts.insert_user("new@shop.example", "viewer", password_hash="")
    checked: list[str] = []

    def check(stored: str, password: str) -> bool:
        checked.append(stored)
        return check_password_hash(stored, password)

    monkeypatch.setattr(passwords, "check_password_hash", check)
    assert accounts.authenticate(user.email, "") is None
    assert len(checked) == 1
    assert checked[0].startswith(passwords.HASH_METHOD)


def test_a_disabled_user_cannot_sign_in(session: Session) -> None:
    user = accounts.get_user(email_of("editor"))
    with write_transaction():
        user.is_enabled = False
    assert accounts.authenticate(email_of("editor"), PASSWORD) is None


NEW = "a quite different staple"


@on_both_databases
def test_a_changed_password_ends_all_sessions_but_the_one_at_hand(session: Session, editor: User) -> None:
    here, there = (user_sessions.create_session(editor, Place()) for _ in range(2))
    kept = user_sessions.find_session(here)
    assert kept is not None
    accounts.change_password(editor, PASSWORD, NEW, keep_session=kept.id)
    assert user_sessions.find_session(here) is not None
    assert user_sessions.find_session(there) is None
    assert accounts.authenticate(editor.email, NEW) is not None
    assert accounts.authenticate(editor.email, PASSWORD) is None


@pytest.mark.parametrize(
    ("current", "new", "named"),
    [("wrong", NEW, {"current"}), (PASSWORD, "short", {"new"}), ("wrong", "short", {"current", "new"})],
)
def test_a_password_is_changed_with_the_current_one_and_by_the_rules(
    session: Session, editor: User, current: str, new: str, named: set[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.change_password(editor, current, new, keep_session=None)
    assert set(refused.value.problems) == named
    assert accounts.authenticate(editor.email, PASSWORD) is not None


@pytest.mark.parametrize(
    ("email", "role", "password", "named"),
    [
        ("no address", "viewer", PASSWORD, "email"),
        ("a@b.example", "king", PASSWORD, "role"),
        ("a@b.example", "viewer", "short", "password"),
        ("a@b.example", "viewer", "Administrator", "password"),
    ],
)
def test_what_is_wrong_with_a_new_user_is_named(
    session: Session, email: str, role: str, password: str, named: str
) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.create_user(email, role, password)
    assert set(refused.value.problems) == {named}


@on_both_databases
def test_an_address_belongs_to_one_user(session: Session) -> None:
    with pytest.raises(Invalid, match="already a user"):
        accounts.create_user(email_of("editor").upper(), "viewer", PASSWORD)


def test_a_password_is_made_when_none_is_given_and_never_stored(session: Session) -> None:
    user, made = accounts.create_user("new@shop.example", "viewer")
    assert len(made) >= passwords.SHORTEST_PASSWORD
    assert made not in user.password_hash
    assert accounts.authenticate("new@shop.example", made) is not None


@pytest.mark.parametrize(
    ("person", "allowed"),
    [("viewer", ["viewer"]), ("editor", ["viewer", "editor"]), ("admin", ["viewer", "editor", "admin"])],
)
def test_each_role_includes_the_ones_before_it(session: Session, person: str, allowed: list[str]) -> None:
    user = accounts.get_user(email_of(person))
    for role in ("viewer", "editor", "admin"):
        if role in allowed:
            accounts.require_role(user, role)
        else:
            with pytest.raises(Forbidden):
                accounts.require_role(user, role)


def test_an_unknown_user_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        accounts.get_user("nobody@shop.example")
    assert accounts.has_users()
