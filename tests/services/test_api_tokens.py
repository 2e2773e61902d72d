"""API tokens: one's own, no more than one may oneself, until they expire, are revoked or their user is disabled."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from tests.support.access import kept_deeds, kept_values
from tests.support.databases import on_both_databases
from webapp.database import write_transaction
from webapp.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.models import ApiToken, User
from webapp.models.base import utc_now
from webapp.services import api_tokens, users

pytestmark = [on_both_databases, pytest.mark.slow]


def test_only_the_hash_of_a_token_is_kept(session: Session, editor: User) -> None:
    token, key = api_tokens.create_token(editor, " the till ", days=30, scope="read")
    assert key.startswith(api_tokens.PREFIX)
    assert key not in (token.token_hash, token.name)
    assert token.name == "the till"
    assert token.expires_at is not None
    assert timedelta(days=29) < token.expires_at - utc_now() <= timedelta(days=30)
    assert kept_deeds() == [(editor.id, "token_created", editor.id)]
    assert key not in str(kept_values())


def test_a_token_finds_its_user_and_says_when_it_was_used(session: Session, editor: User) -> None:
    made, key = api_tokens.create_token(editor, "till")
    assert made.last_used_at is None
    found = api_tokens.authenticate_token(key)
    assert found is not None
    assert found.user.id == editor.id
    assert found.last_used_at is not None
    for wrong in ("", key[:-1], made.token_hash):
        assert api_tokens.authenticate_token(wrong) is None


def test_a_token_ends_with_its_time(session: Session, editor: User) -> None:
    token, key = api_tokens.create_token(editor, "till", days=1)
    assert not token.is_expired
    with write_transaction():
        session.execute(update(ApiToken).values(expires_at=utc_now()))
    assert token.is_expired
    assert api_tokens.authenticate_token(key) is None


def test_a_revoked_token_does_not_work_and_is_not_listed(session: Session, editor: User) -> None:
    token, key = api_tokens.create_token(editor, "till")
    for _ in range(2):
        api_tokens.revoke_token(editor, token.id)
    assert api_tokens.authenticate_token(key) is None
    assert api_tokens.list_tokens(editor, editor.id) == []
    assert [action for _, action, _ in kept_deeds()] == ["token_created", "token_revoked"]


def test_a_disabled_users_tokens_do_not_work(session: Session, admin: User, editor: User) -> None:
    _token, key = api_tokens.create_token(editor, "till")
    users.disable_user(admin, editor.id)
    assert api_tokens.authenticate_token(key) is None
    users.enable_user(admin, editor.id)
    assert api_tokens.authenticate_token(key) is not None


def test_nobody_gives_a_token_what_they_do_not_have(
    session: Session, admin: User, editor: User, viewer: User
) -> None:
    with pytest.raises(Forbidden):
        api_tokens.create_token(viewer, "till", scope="write")
    reading, _key = api_tokens.create_token(viewer, "till", scope="read")
    writing, _key = api_tokens.create_token(editor, "till", scope="write")
    assert (api_tokens.can_write(reading), api_tokens.can_write(writing)) == (False, True)
    users.change_role(admin, editor.id, "viewer")
    session.expire_all()
    assert not api_tokens.can_write(writing)


def test_the_tokens_of_others_are_an_administrators_business(
    session: Session, admin: User, editor: User, stranger: User
) -> None:
    token, key = api_tokens.create_token(editor, "till")
    for deed in (
        lambda: api_tokens.list_tokens(stranger, editor.id),
        lambda: api_tokens.get_token(stranger, token.id),
        lambda: api_tokens.revoke_token(stranger, token.id),
    ):
        with pytest.raises(NotFound):
            deed()
    with pytest.raises(Forbidden):
        api_tokens.list_all_tokens(stranger)
    assert [found.id for found in api_tokens.list_all_tokens(admin)[0]] == [token.id]
    api_tokens.revoke_token(admin, token.id)
    assert api_tokens.authenticate_token(key) is None


def test_all_tokens_are_listed_page_by_page(session: Session, admin: User) -> None:
    made = [api_tokens.create_token(admin, f"till {number}")[0].id for number in range(5)]
    seen: list[int] = []
    before: int | None = None
    while True:
        tokens, before = api_tokens.list_all_tokens(admin, before=before, limit=2)
        seen += [token.id for token in tokens]
        if before is None:
            break
    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("name", "days", "scope", "named"),
    [
        (" ", 1, "read", "name"),
        ("x" * 81, 1, "read", "name"),
        ("x", 0, "read", "days"),
        ("x", 1, "all", "scope"),
    ],
)
def test_what_is_wrong_with_a_token_is_named(
    session: Session, editor: User, name: str, days: int, scope: str, named: str
) -> None:
    with pytest.raises(Invalid) as refused:
        api_tokens.create_token(editor, name, days=days, scope=scope)
    assert set(refused.value.problems) == {named}


def test_there_is_an_end_to_tokens(session: Session, editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_tokens, "MOST_TOKENS", 2)
    for _ in range(2):
        api_tokens.create_token(editor, "till")
    with pytest.raises(Conflict, match="too many tokens"):
        api_tokens.create_token(editor, "till")
