"""What administrators do with users; one of them is always left."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.access import closed_rooms, kept_deeds, kept_values
from tests.support.databases import on_both_databases
from tests.support.houses import email_of
from webapp.database import write_transaction
from webapp.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.extensions import db
from webapp.models import User
from webapp.services import accounts, user_links, user_sessions, users
from webapp.services.user_sessions import Place

pytestmark = [on_both_databases, pytest.mark.slow]


def count_administrators() -> int:
    """Return how many can sign in as administrators."""
    db.session.rollback()
    query = select(func.count()).select_from(User)
    return (
        db.session.scalar(query.where(User.role == "admin", User.is_enabled, User.password_hash != "")) or 0
    )


def test_a_disabled_users_sessions_end_at_once(session: Session, admin: User, editor: User) -> None:
    key = user_sessions.create_session(editor, Place())
    found = user_sessions.find_session(key)
    assert found is not None
    room = f"session:{found.id}"
    users.disable_user(admin, editor.id)
    assert user_sessions.find_session(key) is None
    assert closed_rooms() == [room]
    users.disable_user(admin, editor.id)  # once is enough
    users.enable_user(admin, editor.id)
    assert accounts.get_user(editor.email).state == "active"
    assert user_sessions.find_session(key) is None
    assert kept_deeds() == [(admin.id, "disabled", editor.id), (admin.id, "enabled", editor.id)]


def test_another_role_counts_from_the_next_request(session: Session, admin: User, viewer: User) -> None:
    key = user_sessions.create_session(viewer, Place())
    users.change_role(admin, viewer.id, "editor")
    found = user_sessions.find_session(key)
    assert found is not None
    assert found.user.role == "editor"
    assert closed_rooms() == [f"user:{viewer.id}"]  # its browsers come back, into the rooms of their role
    users.change_role(admin, viewer.id, "editor")
    who = {"email": viewer.email}
    assert kept_values() == [(who | {"role": "viewer"}, who | {"role": "editor"})]


@pytest.mark.parametrize(
    "deed",
    [
        lambda actor: users.disable_user(actor, actor.id),
        lambda actor: users.change_role(actor, actor.id, "viewer"),
    ],
    ids=["disable", "demote"],
)
def test_the_last_administrator_stays(
    session: Session, admin: User, editor: User, deed: Callable[[User], object]
) -> None:
    user_links.invite_user(admin, "never@shop.example", "admin")  # who has no password cannot take over
    with pytest.raises(Conflict, match="Nobody else could manage"):
        deed(admin)
    assert count_administrators() == 1
    users.change_role(admin, editor.id, "admin")
    deed(admin)
    assert count_administrators() == 1


@pytest.mark.parametrize("deed", ["disable", "demote"])
def test_of_two_administrators_who_remove_each_other_one_stays(
    app: Flask, session: Session, admin: User, editor: User, deed: str
) -> None:
    for _ in range(5):
        with write_transaction():
            session.query(User).filter(User.id.in_([admin.id, editor.id])).update(
                {"role": "admin", "is_enabled": True}
            )
        gate = threading.Barrier(2)
        refused: list[str] = []

        def remove(actor: User, other: User, gate: threading.Barrier, refused: list[str]) -> None:
            with app.app_context():
                gate.wait()
                try:
                    if deed == "disable":
                        users.disable_user(accounts.get_user(actor.email), other.id)
                    else:
                        users.change_role(accounts.get_user(actor.email), other.id, "viewer")
                except (Conflict, Forbidden) as error:
                    refused.append(type(error).__name__)
                finally:
                    db.session.remove()

        threads = [
            threading.Thread(target=remove, args=(*pair, gate, refused))
            for pair in ((admin, editor), (editor, admin))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(refused), count_administrators()) == (1, 1)


def test_only_administrators_do_any_of_it(session: Session, editor: User, viewer: User) -> None:
    deeds: list[Callable[[User], object]] = [
        users.list_users,
        lambda actor: users.get_user_by_id(actor, actor.id),
        lambda actor: users.change_role(actor, actor.id, "admin"),
        lambda actor: users.disable_user(actor, viewer.id),
        lambda actor: users.enable_user(actor, viewer.id),
    ]
    for actor in (editor, viewer):
        for deed in deeds:
            with pytest.raises(Forbidden):
                deed(actor)
    assert kept_deeds() == []


def test_what_is_not_there_is_not_found_and_no_role_is_made_up(session: Session, admin: User) -> None:
    for deed in (users.get_user_by_id, users.disable_user, users.enable_user):
        with pytest.raises(NotFound):
            deed(admin, 999_999)
    with pytest.raises(Invalid, match="is not a role"):
        users.change_role(admin, admin.id, "king")


def test_users_are_listed_by_address_and_found_by_a_part_of_it(session: Session, admin: User) -> None:
    for number in range(3):
        user_links.invite_user(admin, f"100%_{number}@shop.example", "viewer")
    user_sessions.create_session(admin, Place())
    seen, after = [], ""
    while True:
        rows, after = users.list_users(admin, after=after, limit=2)
        seen += [row.user.email for row in rows]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 7
    assert {email_of("admin"), "100%_2@shop.example"} <= set(seen)
    found, _next = users.list_users(admin, text="%_")
    assert [row.user.state for row in found] == ["invited"] * 3
    (row,) = users.list_users(admin, text="ADMIN")[0]
    assert (row.user.email, row.sessions) == (email_of("admin"), 1)
