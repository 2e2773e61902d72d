"""Links that set a password: once, in time, for one user, and nothing else."""

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.support.access import kept_deeds, kept_values
from tests.support.databases import on_both_databases
from tests.support.houses import PASSWORD, email_of
from webapp.database import write_transaction
from webapp.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.extensions import db
from webapp.models import User, UserLink
from webapp.models.base import utc_now
from webapp.services import accounts, user_links, user_sessions, users
from webapp.services.user_links import LIFETIMES
from webapp.services.user_sessions import Place

pytestmark = [on_both_databases, pytest.mark.slow]

NEW = "a quite different staple"


def test_an_invitation_is_a_user_without_a_password_and_a_link(session: Session, admin: User) -> None:
    made = user_links.invite_user(admin, " New@Shop.example ", "viewer")
    assert (made.purpose, made.user.state, made.user.email) == ("invitation", "invited", "New@Shop.example")
    assert timedelta(days=6) < made.expires_at - utc_now() <= timedelta(days=7)
    assert accounts.authenticate("new@shop.example", "") is None
    (row,) = session.scalars(select(UserLink))
    assert made.token not in row.token_hash
    assert kept_deeds() == [(admin.id, "invited", made.user.id)]
    assert made.token not in str(kept_values())
    user = user_links.redeem_link(made.token, NEW)
    assert user.state == "active"
    assert accounts.authenticate("new@shop.example", NEW) is not None


def test_a_link_works_once(session: Session, admin: User) -> None:
    made = user_links.invite_user(admin, "new@shop.example", "viewer")
    user_links.redeem_link(made.token, NEW)
    assert user_links.find_link(made.token) is None
    with pytest.raises(NotFound):
        user_links.redeem_link(made.token, PASSWORD)
    assert accounts.authenticate("new@shop.example", PASSWORD) is None


def test_of_two_who_use_a_link_at_the_same_moment_one_gets_in(
    app: Flask, session: Session, admin: User
) -> None:
    made = user_links.invite_user(admin, "new@shop.example", "viewer")
    gate, outcomes = threading.Barrier(2), []

    def redeem(password: str) -> None:
        with app.app_context():
            gate.wait()
            try:
                user_links.redeem_link(made.token, password)
                outcomes.append(password)
            except NotFound:
                outcomes.append("refused")
            finally:
                db.session.remove()

    threads = [threading.Thread(target=redeem, args=(f"{NEW} {number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("refused") == 1
    winner = next(outcome for outcome in outcomes if outcome != "refused")
    assert accounts.authenticate("new@shop.example", winner) is not None


def test_a_link_expires(session: Session, admin: User, editor: User) -> None:
    made = user_links.create_link(admin, editor.id)
    assert timedelta(hours=23) < made.expires_at - utc_now() <= LIFETIMES["password_reset"]
    with write_transaction():
        session.execute(update(UserLink).values(expires_at=utc_now()))
    assert user_links.find_link(made.token) is None
    with pytest.raises(NotFound):
        user_links.redeem_link(made.token, NEW)
    assert user_links.prune_links(utc_now()) == 0
    assert user_links.prune_links(utc_now() + user_links.KEPT + timedelta(minutes=1)) == 1


def test_a_reset_leaves_the_old_password_until_it_is_used_and_then_signs_out_everywhere(
    session: Session, admin: User, editor: User
) -> None:
    key = user_sessions.create_session(editor, Place())
    made = user_links.create_link(admin, editor.id)
    assert made.purpose == "password_reset"
    assert accounts.authenticate(editor.email, PASSWORD) is not None
    assert user_sessions.find_session(key) is not None
    user_links.redeem_link(made.token, NEW)
    assert accounts.authenticate(editor.email, PASSWORD) is None
    assert user_sessions.find_session(key) is None
    assert kept_deeds() == [
        (admin.id, "link_created", editor.id),
        (editor.id, "password_set", editor.id),
    ]


def test_a_new_link_takes_the_place_of_the_one_before(session: Session, admin: User, editor: User) -> None:
    first, second = (user_links.create_link(admin, editor.id) for _ in range(2))
    assert user_links.find_link(first.token) is None
    assert user_links.find_link(second.token) is not None


def test_a_bad_password_does_not_use_the_link_up(session: Session, admin: User, editor: User) -> None:
    made = user_links.create_link(admin, editor.id)
    with pytest.raises(Invalid) as refused:
        user_links.redeem_link(made.token, "short")
    assert set(refused.value.problems) == {"password"}
    assert user_links.find_link(made.token) is not None


def test_a_disabled_users_links_do_not_work_nor_come_back(
    session: Session, admin: User, editor: User
) -> None:
    made = user_links.create_link(admin, editor.id)
    users.disable_user(admin, editor.id)
    assert user_links.find_link(made.token) is None
    with pytest.raises(Conflict, match="disabled"):
        user_links.create_link(admin, editor.id)
    users.enable_user(admin, editor.id)
    assert user_links.find_link(made.token) is None


@pytest.mark.parametrize("token", ["", "x", "0" * 43])
def test_a_made_up_link_is_none(session: Session, admin: User, editor: User, token: str) -> None:
    user_links.create_link(admin, editor.id)
    assert user_links.find_link(token) is None
    with pytest.raises(NotFound):
        user_links.redeem_link(token, NEW)


def test_only_administrators_invite_and_reset(session: Session, editor: User, viewer: User) -> None:
    for actor in (editor, viewer):
        with pytest.raises(Forbidden):
            user_links.invite_user(actor, "new@shop.example", "viewer")
        with pytest.raises(Forbidden):
            user_links.create_link(actor, actor.id)


@pytest.mark.parametrize(
    ("email", "role", "named"),
    [("nobody", "viewer", "email"), ("a@b.example", "king", "role"), (email_of("editor"), "viewer", "email")],
)
def test_what_is_wrong_with_an_invitation_is_named(
    session: Session, admin: User, email: str, role: str, named: str
) -> None:
    with pytest.raises(Invalid) as refused:
        user_links.invite_user(admin, email, role)
    assert set(refused.value.problems) == {named}


def test_there_is_no_link_for_nobody(session: Session, admin: User) -> None:
    with pytest.raises(NotFound):
        user_links.create_link(admin, 999_999)
