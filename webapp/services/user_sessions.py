"""Sessions: in which browsers a user is signed in, and how each of them ends, at once, sockets too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, joinedload, with_expression

from webapp import live
from webapp.database import write_transaction
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import User, UserSession
from webapp.models.base import utc_now
from webapp.services import events
from webapp.services.secret_keys import hash_key, make_key
from webapp.services.user_audit import audit_user

LIFETIME = timedelta(days=14)  # without a visit; the cookie lives as long
SEEN_EVERY = timedelta(minutes=5)
LONGEST_ADDRESS, LONGEST_BROWSER = 45, 255
LISTED = 50
SWEEP_LIMIT = 5_000


@dataclass(frozen=True)
class Place:
    """From where somebody comes: the address, and what the browser says of itself."""

    address: str = ""
    browser: str = ""


def create_session(user: User, place: Place) -> str:
    """Sign a user in on a browser and return the key that its cookie holds; only its hash is kept."""
    key, now = make_key(), utc_now()
    with write_transaction() as session:
        session.add(
            UserSession(
                user_id=user.id,
                key_hash=hash_key(key),
                created_at=now,
                last_seen_at=now,
                address=place.address[:LONGEST_ADDRESS],
                browser=place.browser[:LONGEST_BROWSER],
            )
        )
        session.execute(update(User).where(User.id == user.id).values(last_login_at=now))
    return key


def find_session(key: str) -> UserSession | None:
    """Return the session of a key with its user, unless it has ended or its user is disabled.

    The newest event comes along (``last_event_id``, 0 before the first), since every page asks for it.
    """
    found = db.session.scalar(
        select(UserSession)
        .where(UserSession.key_hash == hash_key(key), UserSession.last_seen_at > utc_now() - LIFETIME)
        .options(joinedload(UserSession.user, innerjoin=True))
        .options(with_expression(UserSession.last_event_id, events.select_newest_id()))
    )
    return found if found and found.user.is_enabled else None


def is_note_due(found: UserSession) -> bool:
    """Whether a session was last noted so long ago that a visit is worth a write."""
    return found.last_seen_at < utc_now() - SEEN_EVERY


def note_seen(found: UserSession, place: Place) -> None:
    """Remember that a session was used just now, and from where."""
    with write_transaction() as session:
        session.execute(
            update(UserSession)
            .where(UserSession.id == found.id)
            .values(last_seen_at=utc_now(), address=place.address[:LONGEST_ADDRESS])
        )


def list_sessions(actor: User, user_id: int, current_id: int = 0) -> Sequence[UserSession]:
    """Return the sessions of a user: the actor's own, or anybody's for an administrator.

    The current one comes first, whatever was noted of it, then the last used.
    """
    _check_may_see(actor, user_id)
    query = select(UserSession).where(
        UserSession.user_id == user_id, UserSession.last_seen_at > utc_now() - LIFETIME
    )
    is_current = UserSession.id == current_id
    ordered = query.order_by(is_current.desc(), UserSession.last_seen_at.desc(), UserSession.id.desc())
    return db.session.scalars(ordered.limit(LISTED)).all()


def count_sessions(session: Session, user_ids: Sequence[int]) -> dict[int, int]:
    """Return in how many browsers each of these users is signed in."""
    query = select(UserSession.user_id, func.count()).where(
        UserSession.user_id.in_(user_ids), UserSession.last_seen_at > utc_now() - LIFETIME
    )
    return dict(session.execute(query.group_by(UserSession.user_id)).all())


def end_session(actor: User, user_id: int, session_id: int) -> None:
    """Sign one browser out. NotFound when the user has no such session, or it is none of the actor's business."""
    _check_may_see(actor, user_id)
    with write_transaction() as session:
        found = session.get(UserSession, session_id)
        if found is None or found.user_id != user_id:
            raise NotFound(session_id)
        audit_user(session, actor, "session_ended", found.user)
        _remove(session, [found.id])


def end_all_sessions(actor: User, user_id: int) -> int:
    """Sign a user out everywhere; return of how many browsers."""
    _check_may_see(actor, user_id)
    with write_transaction() as session:
        user = session.get(User, user_id)
        if user is None:
            raise NotFound(user_id)
        count = remove_sessions(session, user_id)
        audit_user(session, actor, "signed_out", user, after={"sessions": count})
        return count


def end_own_session(session_id: int) -> None:
    """Sign out on this browser: what everybody does, so the audit does not keep it."""
    with write_transaction() as session:
        _remove(session, [session_id])


def remove_sessions(session: Session, user_id: int, *, keep_id: int | None = None) -> int:
    """End the sessions of a user, but for one, inside the caller's transaction; return how many."""
    ids = session.scalars(select(UserSession.id).where(UserSession.user_id == user_id)).all()
    ended = [found for found in ids if found != keep_id]
    _remove(session, ended)
    return len(ended)


def prune_sessions(now: datetime) -> int:
    """Delete sessions that have ended by themselves; return how many."""
    with write_transaction() as session:
        old = select(UserSession.id).where(UserSession.last_seen_at < now - LIFETIME).limit(SWEEP_LIMIT)
        ids = session.scalars(old).all()
        session.execute(delete(UserSession).where(UserSession.id.in_(ids)))
        return len(ids)


def _remove(session: Session, session_ids: Sequence[int]) -> None:
    """Delete sessions, and have the web processes close their sockets."""
    session.execute(delete(UserSession).where(UserSession.id.in_(session_ids)))
    for session_id in session_ids:
        live.publish(session, live.session_audience(session_id), live.ACCESS_CHANGED, {})


def _check_may_see(actor: User, user_id: int) -> None:
    if not (actor.id == user_id or actor.is_admin):
        raise NotFound(user_id)
