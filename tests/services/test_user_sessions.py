"""Sessions: a key finds its user until the session ends, one by one or all, at once."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.support.access import closed_rooms, kept_deeds
from tests.support.databases import on_both_databases
from webapp import live
from webapp.database import write_transaction
from webapp.errors import NotFound
from webapp.models import User, UserSession
from webapp.models.base import utc_now
from webapp.services import events, user_sessions
from webapp.services.user_sessions import LIFETIME, SEEN_EVERY, Place

pytestmark = on_both_databases

HOME = Place("192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")


def age(span: timedelta) -> None:
    """Let the last visit of every session be so long ago."""
    with write_transaction() as session:
        session.execute(update(UserSession).values(last_seen_at=utc_now() - span))


def id_of(key: str) -> int:
    """Return the id of a key's session."""
    found = user_sessions.find_session(key)
    assert found is not None
    return found.id


def test_a_key_finds_its_user_and_only_its_hash_is_kept(session: Session, editor: User) -> None:
    key = user_sessions.create_session(editor, HOME)
    found = user_sessions.find_session(key)
    assert found is not None
    assert (found.user.id, found.address, found.browser) == (editor.id, HOME.address, HOME.browser)
    assert found.user.last_login_at is not None
    assert key not in (found.key_hash, found.browser)
    for wrong in ("", key + "x", found.key_hash, str(found.id)):
        assert user_sessions.find_session(wrong) is None


def test_a_visit_knows_up_to_which_event_its_page_tells(session: Session, editor: User) -> None:
    key = user_sessions.create_session(editor, HOME)
    for _ in range(2):
        session.expunge_all()
        found = user_sessions.find_session(key)
        assert found is not None
        assert found.last_event_id == events.find_newest_id()
        with write_transaction() as writing:
            live.publish(writing, live.EVERYONE, live.METRICS_UPDATED, {})


def test_a_session_that_nobody_visits_ends_by_itself(session: Session, editor: User) -> None:
    key = user_sessions.create_session(editor, HOME)
    age(LIFETIME - timedelta(minutes=1))
    assert user_sessions.find_session(key) is not None
    age(LIFETIME)
    assert user_sessions.find_session(key) is None
    assert user_sessions.list_sessions(editor, editor.id) == []
    assert user_sessions.prune_sessions(utc_now()) == 1


def test_a_visit_is_noted_every_few_minutes(session: Session, editor: User) -> None:
    key = user_sessions.create_session(editor, HOME)
    found = user_sessions.find_session(key)
    assert found is not None
    assert not user_sessions.is_note_due(found)
    age(SEEN_EVERY * 2)
    session.expire_all()
    assert user_sessions.is_note_due(found)
    user_sessions.note_seen(found, Place("198.51.100.1", "another"))
    assert not user_sessions.is_note_due(found)
    assert (found.address, found.browser) == ("198.51.100.1", HOME.browser)


def test_what_a_browser_says_of_itself_may_be_long(session: Session, editor: User) -> None:
    user_sessions.create_session(editor, Place("1" * 100, "x" * 1000))
    (row,) = session.scalars(select(UserSession))
    assert (len(row.address), len(row.browser)) == (45, 255)


def test_one_session_is_ended_and_its_sockets_with_it(session: Session, editor: User) -> None:
    keys = [user_sessions.create_session(editor, HOME) for _ in range(2)]
    ended = id_of(keys[0])
    user_sessions.end_session(editor, editor.id, ended)
    assert [user_sessions.find_session(key) is not None for key in keys] == [False, True]
    assert closed_rooms() == [f"session:{ended}"]
    assert kept_deeds() == [(editor.id, "session_ended", editor.id)]


def test_all_sessions_are_ended_and_nobody_elses(session: Session, editor: User, stranger: User) -> None:
    keys = [user_sessions.create_session(user, HOME) for user in (editor, editor, stranger)]
    rooms = {f"session:{id_of(key)}" for key in keys[:2]}
    assert user_sessions.end_all_sessions(editor, editor.id) == 2
    assert [user_sessions.find_session(key) is not None for key in keys] == [False, False, True]
    assert set(closed_rooms()) == rooms
    assert kept_deeds() == [(editor.id, "signed_out", editor.id)]


def test_the_sessions_of_others_are_an_administrators_business(
    session: Session, editor: User, stranger: User, admin: User
) -> None:
    key = user_sessions.create_session(editor, HOME)
    session_id = id_of(key)
    with pytest.raises(NotFound):
        user_sessions.list_sessions(stranger, editor.id)
    with pytest.raises(NotFound):
        user_sessions.end_session(stranger, editor.id, session_id)
    with pytest.raises(NotFound):  # not by naming oneself, either
        user_sessions.end_session(stranger, stranger.id, session_id)
    with pytest.raises(NotFound):
        user_sessions.end_all_sessions(stranger, editor.id)
    assert [row.id for row in user_sessions.list_sessions(admin, editor.id)] == [session_id]
    user_sessions.end_session(admin, editor.id, session_id)
    assert user_sessions.find_session(key) is None
