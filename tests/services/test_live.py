"""Live events: each browser gets what concerns its user, once, in order, and what it missed meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from contextvars import Context
from typing import Any

import pytest
from flask import Flask
from flask_socketio import SocketIOTestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.houses import load_person, sign_in
from tests.support.jobs import ask, carry_out
from tests.support.processes import wait_until
from webapp import live
from webapp.database import write_transaction
from webapp.extensions import db, socketio
from webapp.models import Event, User
from webapp.routes import live as sockets
from webapp.services import user_sessions, users


def publish(audience: str, **data: Any) -> int:
    """Publish one event and return its id."""
    with write_transaction() as session:
        live.publish(session, audience, live.STOCK_LOW, data)
    return db.session.scalars(select(Event.id).order_by(Event.id.desc()).limit(1)).one()


def connect(app: Flask, person: str | None, auth: Any = None) -> SocketIOTestClient:
    """Open a socket as one of the people."""
    browser = app.test_client()
    if person is not None:
        sign_in(browser, load_person(app, person))
    # In a context of its own, as in the real server: the test's own knows somebody else.
    return Context().run(socketio.test_client, app, flask_test_client=browser, auth=auth)


def received(socket: SocketIOTestClient, name: str = live.STOCK_LOW) -> list[dict[str, Any]]:
    """Return what a socket got since it was last asked."""
    return [item["args"][0] for item in socket.get_received() if item["name"] == name]


def test_a_socket_without_a_signed_in_user_is_refused(app: Flask, session: Session) -> None:
    assert not connect(app, None).is_connected()
    assert connect(app, "viewer").is_connected()


@on_both_databases
def test_an_event_goes_to_its_audience_alone(app: Flask, session: Session, editor: User) -> None:
    people = {name: connect(app, name) for name in ("admin", "editor", "stranger")}
    cursor = publish(live.EVERYONE)
    for audience in (live.user_audience(editor.id), live.role_audience("admin"), live.EVERYONE):
        publish(audience, to=audience)
    sockets._carry(cursor)
    heard = {name: [item["to"] for item in received(socket)] for name, socket in people.items()}
    assert heard == {
        "admin": ["role:admin", "all"],
        "editor": [f"user:{editor.id}", "all"],
        "stranger": ["all"],
    }


def test_a_browser_cannot_ask_for_another_ones_room(app: Flask, session: Session, editor: User) -> None:
    socket = connect(app, "stranger", auth={"rooms": [live.user_audience(editor.id)], "last_id": 0})
    for word in ("join", "subscribe"):
        socket.emit(word, live.user_audience(editor.id))
    cursor = publish(live.EVERYONE)
    publish(live.user_audience(editor.id))
    sockets._carry(cursor)
    assert received(socket) == []


@on_both_databases
def test_a_browser_that_comes_back_gets_what_it_missed_once_and_in_order(
    app: Flask, session: Session, editor: User
) -> None:
    last = publish(live.user_audience(editor.id), n=0)
    for number in (1, 2, 3):
        publish(live.user_audience(editor.id), n=number)
        publish(live.role_audience("admin"), n=-1)
    socket = connect(app, "editor", auth={"last_id": last})
    assert [item["n"] for item in received(socket)] == [1, 2, 3]


def test_a_new_browser_is_told_where_it_stands_and_nothing_old(
    app: Flask, session: Session, editor: User
) -> None:
    last = publish(live.user_audience(editor.id))
    got = connect(app, "editor").get_received()
    assert [(item["name"], item["args"][0]) for item in got] == [("hello", {"last_id": last})]


@pytest.mark.parametrize("last_id", ["x", None, {}, 10**18, -5])
def test_a_strange_last_id_does_no_harm(app: Flask, session: Session, editor: User, last_id: Any) -> None:
    publish(live.role_audience("admin"))
    socket = connect(app, "editor", auth={"last_id": last_id})
    assert socket.is_connected()
    assert received(socket) == []


def test_of_a_long_absence_the_newest_part_is_sent(
    app: Flask, session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "REPLAY_LIMIT", 3)
    for number in range(5):
        publish(live.user_audience(editor.id), n=number)
    socket = connect(app, "editor", auth={"last_id": 0})
    assert [item["n"] for item in received(socket)] == [2, 3, 4]


def test_the_reader_goes_on_where_it_stopped_however_much_there_is(
    app: Flask, session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "READ_LIMIT", 2)
    socket, cursor = connect(app, "editor"), publish(live.EVERYONE)
    received(socket)
    for number in range(5):
        publish(live.EVERYONE, n=number)
    for _ in range(4):
        cursor = sockets._carry(cursor)
    assert [item["n"] for item in received(socket)] == [0, 1, 2, 3, 4]


class ReaderEndedError(Exception):
    """Ends the endless reader with its test."""


@pytest.fixture
def reader(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The real reader, on a thread that ends with the test."""
    ended, original = threading.Event(), sockets._make_waiter

    def make_waiter() -> Any:
        wait = original()

        def wait_or_end() -> None:
            if ended.is_set():
                raise ReaderEndedError
            wait()

        return wait_or_end

    def read() -> None:
        with suppress(ReaderEndedError):
            sockets._read_events(app)

    monkeypatch.setattr(sockets, "_make_waiter", make_waiter)
    thread = threading.Thread(target=read)
    thread.start()
    yield
    ended.set()
    thread.join()


@on_both_databases
@pytest.mark.usefixtures("reader")
def test_the_reader_carries_events_from_the_database_to_the_sockets(
    app: Flask, session: Session, editor: User
) -> None:
    socket, got = connect(app, "editor"), []

    def has_arrived() -> bool:
        carry_out(ask(editor), lambda _: None)
        got.extend(received(socket, live.JOB_COMPLETED))
        return bool(got)

    wait_until(has_arrived, lambda: "no event arrived")
    assert got[0]["status"] == "completed"
    assert got[0]["id"] in session.scalars(select(Event.id)).all()


def test_an_event_is_small_and_plain(app: Flask, session: Session, editor: User) -> None:
    carry_out(ask(editor, params={"secret": "x"}, model_name="products"), lambda _: None)
    data = session.scalars(select(Event.data).order_by(Event.id.desc())).first()
    assert data is not None
    assert set(data) == {"task_id", "task_type", "model_name", "status", "processed", "total"}


@on_both_databases
def test_ids_follow_the_order_of_commits(app: Flask, session: Session) -> None:
    """A reader that has seen an id never meets a lower one later."""
    seen: list[int] = []
    stop = threading.Event()

    def write() -> None:
        with app.app_context():
            for _ in range(15):
                publish(live.EVERYONE)

    def read() -> None:
        with app.app_context():
            while not stop.is_set():
                ids = db.session.scalars(select(Event.id).order_by(Event.id)).all()
                db.session.rollback()
                new = [found for found in ids if found not in seen]
                assert not seen or not new or min(new) > max(seen)
                seen.extend(new)

    session.close()
    failures: list[BaseException] = []
    reading = threading.Thread(target=_catch, args=(read, failures))
    writing = [threading.Thread(target=write) for _ in range(3)]
    for thread in (reading, *writing):
        thread.start()
    for thread in writing:
        thread.join()
    wait_until(lambda: len(seen) == 45 or failures, lambda: "not all events were seen")
    stop.set()
    reading.join()
    assert failures == []


def _catch(work: Any, failures: list[BaseException]) -> None:
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - it is looked at by the test
        failures.append(error)


@on_both_databases
def test_a_session_that_ends_and_a_role_that_changes_close_their_sockets_alone(
    app: Flask, session: Session, admin: User, editor: User
) -> None:
    one, other, foreign = (connect(app, name) for name in ("editor", "editor", "stranger"))
    cursor = publish(live.EVERYONE)
    newest = user_sessions.list_sessions(editor, editor.id)[0]
    user_sessions.end_session(admin, editor.id, newest.id)
    cursor = sockets._carry(cursor)
    assert [socket.is_connected() for socket in (one, other, foreign)] == [True, False, True]
    users.change_role(admin, editor.id, "viewer")
    sockets._carry(cursor)
    assert [socket.is_connected() for socket in (one, foreign)] == [False, True]
    assert connect(app, "editor").is_connected()


def test_a_browser_whose_session_has_ended_cannot_listen(app: Flask, session: Session, editor: User) -> None:
    browser = app.test_client()
    sign_in(browser, editor)
    user_sessions.end_all_sessions(editor, editor.id)
    socket = Context().run(socketio.test_client, app, flask_test_client=browser)
    assert not socket.is_connected()
