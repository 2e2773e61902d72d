"""The socket: who may listen to what, and the reader that carries events from the database to browsers."""

import logging
import time
from typing import Any

import redis
from flask import Flask, g, request
from flask_login import current_user
from flask_socketio import join_room
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from webapp import live
from webapp.extensions import db, settings, settings_of, socketio
from webapp.models import Event
from webapp.services import events

log = logging.getLogger(__name__)

REPLAY_LIMIT = 200
READ_LIMIT = 500


def init_app(app: Flask) -> None:
    """Bind the sockets to the application of a web process; no other process serves any."""
    config = settings_of(app)
    origins = [item for item in config.allowed_origins.split(",") if item]
    options: dict[str, Any] = {
        "async_mode": config.async_mode,
        "cors_allowed_origins": origins or None,  # None is the library's word for "the same origin only"
        "max_http_buffer_size": 65_536,
        "manage_session": False,
    }
    socketio.init_app(app, **options)


@socketio.on("connect")
def connect(auth: dict[str, Any] | None = None) -> bool:
    """Let a signed-in browser join the rooms that are its own, and send what it missed."""
    user = current_user
    if not user.is_authenticated:
        return False
    for audience in (*events.audiences_of(user), live.session_audience(g.session_id)):
        join_room(audience)
    newest = events.find_newest_id()
    last_id = _read_last_id(auth, newest)
    for event in events.list_missed(user, last_id, REPLAY_LIMIT):
        socketio.emit(event.name, {"id": event.id, **event.data}, to=request.sid)  # type: ignore[attr-defined]
    socketio.emit("hello", {"last_id": newest}, to=request.sid)  # type: ignore[attr-defined]
    db.session.remove()
    return True


def _read_last_id(auth: dict[str, Any] | None, newest: int) -> int:
    try:
        return min(int((auth or {})["last_id"]), newest)
    except (KeyError, TypeError, ValueError):
        return newest


def start_event_reader(app: Flask) -> None:
    """Begin to carry events to this process's sockets; for the life of the process."""
    socketio.start_background_task(_read_events, app)


def _read_events(app: Flask) -> None:
    with app.app_context():
        cursor: int | None = None
        wait = _make_waiter()
        while True:
            try:
                cursor = events.find_newest_id() if cursor is None else _carry(cursor)
            except SQLAlchemyError:
                log.warning("Events cannot be read from the database; trying again.")
                time.sleep(1)
            finally:
                db.session.remove()
            wait()


def _carry(cursor: int) -> int:
    """Emit the events past the cursor and return the new one. Nothing yields inside the transaction."""
    query = select(Event.id, Event.audience, Event.name, Event.data).where(Event.id > cursor)
    rows = db.session.execute(query.order_by(Event.id).limit(READ_LIMIT)).all()
    db.session.rollback()
    for row in rows:
        socketio.emit(row.name, {"id": row.id, **row.data}, to=row.audience)
        if row.name == live.ACCESS_CHANGED:
            _close_sockets(row.audience)
    return rows[-1].id if rows else cursor


def _close_sockets(audience: str) -> None:
    """Close the connections of an audience: each that may still listen comes back, with the rooms of today."""
    server = socketio.server  # type: ignore[attr-defined]
    for sid, _connection in list(server.manager.get_participants("/", audience)):
        server.disconnect(sid)


def _make_waiter() -> Any:
    """Return what waits between two looks: a short sleep, cut shorter by a nudge through Redis."""
    seconds = settings().event_poll_seconds
    if not settings().redis_url:
        return lambda: time.sleep(seconds)
    client = redis.Redis.from_url(settings().redis_url, socket_connect_timeout=1, socket_timeout=1)
    listener = client.pubsub(ignore_subscribe_messages=True)

    def wait() -> None:
        try:
            if not listener.subscribed:
                listener.subscribe(live.NUDGE_CHANNEL)
            listener.get_message(timeout=seconds)
        except redis.RedisError:
            time.sleep(seconds)

    return wait
