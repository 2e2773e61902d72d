"""Users, passwords, sessions, tokens."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash

from tests.support.databases import on_both_databases
from tests.support.houses import PASSWORD, email_of
from webapp.database import write_transaction
from webapp.errors import Forbidden, Invalid, NotFound
from webapp.models import ApiToken, User
from webapp.models.base import utc_now
from webapp.services import accounts

pytestmark = pytest.mark.slow  # together they take longer than a commit should


@on_both_databases
def test_the_right_password_lets_in_whatever_the_case_of_the_address(session: Session) -> None:
    user = accounts.authenticate(email_of("editor").upper(), PASSWORD)
    assert user is not None
    session.expire_all()
    assert accounts.get_user(email_of("editor")).last_login_at is not None


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

    monkeypatch.setattr(accounts, "check_password_hash", check)
    accounts.authenticate("nobody@shop.example", "x")
    assert checked == [accounts.HASH_METHOD]


def test_a_disabled_user_can_neither_sign_in_nor_stay(session: Session) -> None:
    user = accounts.get_user(email_of("editor"))
    assert accounts.load_session_user(user.get_id()) is not None
    with write_transaction():
        user.is_enabled = False
    assert accounts.authenticate(email_of("editor"), PASSWORD) is None
    assert accounts.load_session_user(user.get_id()) is None


def test_raising_the_session_version_signs_out_everywhere(session: Session) -> None:
    user = accounts.get_user(email_of("editor"))
    cookie = user.get_id()
    with write_transaction():
        user.session_version += 1
    assert accounts.load_session_user(cookie) is None
    assert accounts.load_session_user(user.get_id()) is not None


@pytest.mark.parametrize("cookie", ["", "x.1", "999999.1", "1", "1.x", "-1.1"])
def test_a_made_up_session_is_nobodys(session: Session, cookie: str) -> None:
    assert accounts.load_session_user(cookie) is None


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
    assert len(made) >= accounts.SHORTEST_PASSWORD
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


def test_only_the_hash_of_a_token_is_kept(session: Session, editor: User) -> None:
    token = accounts.create_token(editor, "machine", days=30)
    row = session.scalars(select(ApiToken)).one()
    assert token not in (row.token_hash, row.name)
    assert row.token_hash == accounts.hash_token(token)
    assert row.expires_at is not None
    assert timedelta(days=29) < row.expires_at - utc_now() <= timedelta(days=30)


def test_an_unknown_user_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        accounts.get_user("nobody@shop.example")
    assert accounts.has_users()
