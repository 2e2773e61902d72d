"""What administrators do with users: list them, change their role, disable and enable them.

One administrator who can sign in is always left: whoever could take the last one away holds the rows
of all of them first, so that two who do it at the same moment do it one after the other.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import live
from webapp.database import write_transaction
from webapp.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.extensions import db
from webapp.models import User
from webapp.resources.base import N_
from webapp.resources.types import fold_key
from webapp.services.accounts import find_role_problem, require_role
from webapp.services.user_audit import audit_user
from webapp.services.user_links import void_links
from webapp.services.user_sessions import count_sessions, remove_sessions

PAGE_ROWS = 50


@dataclass(frozen=True)
class UserRow:
    """A user as the list shows them."""

    user: User
    sessions: int


def list_users(
    actor: User, *, text: str = "", after: str = "", limit: int = PAGE_ROWS
) -> tuple[list[UserRow], str]:
    """Return users by their address, those that hold the text, after an address; and where to go on, or ""."""
    require_role(actor, "admin")
    query = select(User).where(User.email_key > after).order_by(User.email_key).limit(limit + 1)
    if text:
        query = query.where(User.email_key.contains(fold_key(text), autoescape=True))
    found = db.session.scalars(query).all()
    shown = found[:limit]
    counts = count_sessions(db.session(), [user.id for user in shown])
    rows = [UserRow(user, counts.get(user.id, 0)) for user in shown]
    return rows, shown[-1].email_key if len(found) > limit else ""


def get_user_by_id(actor: User, user_id: int) -> User:
    """Return a user; Forbidden to all but administrators, NotFound when there is none."""
    require_role(actor, "admin")
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound(user_id)
    return user


def change_role(actor: User, user_id: int, role: str) -> User:
    """Give a user another role, which counts from their next request. Conflict for the last administrator."""
    if problem := find_role_problem(role):
        raise Invalid({"role": problem})
    with _holding(actor, user_id) as (session, user, is_last):
        if user.role == role:
            return user
        if is_last and user.is_admin:
            raise _last_administrator()
        before, user.role = user.role, role
        audit_user(session, actor, "role_changed", user, before={"role": before}, after={"role": role})
        live.publish(session, live.user_audience(user.id), live.ACCESS_CHANGED, {})
        return user


def disable_user(actor: User, user_id: int) -> User:
    """Let a user in no more: their sessions and links end at once. Conflict for the last administrator."""
    with _holding(actor, user_id) as (session, user, is_last):
        if not user.is_enabled:
            return user
        if is_last and user.is_admin:
            raise _last_administrator()
        user.is_enabled = False
        void_links(session, user.id)
        count = remove_sessions(session, user.id)
        audit_user(session, actor, "disabled", user, after={"sessions": count})
        return user


def enable_user(actor: User, user_id: int) -> User:
    """Let a disabled user in again, with the password and the role they had."""
    with _holding(actor, user_id) as (session, user, _is_last):
        if not user.is_enabled:
            user.is_enabled = True
            audit_user(session, actor, "enabled", user)
        return user


@contextmanager
def _holding(actor: User, user_id: int) -> Iterator[tuple[Session, User, bool]]:
    """Give a write transaction, the user, and whether no other administrator could sign in without them."""
    require_role(actor, "admin")
    with write_transaction() as session:
        administrators = _lock_administrators(session)
        user = session.get(User, user_id)
        if user is None:
            raise NotFound(user_id)
        if actor.id not in {found.id for found in administrators}:
            raise Forbidden("admin")  # no longer one, since this was asked for
        yield session, user, all(found.id == user.id for found in administrators)


def _lock_administrators(session: Session) -> Sequence[User]:
    """Hold the rows of all who can sign in as administrators. SQLite's write lock is one for all as it is."""
    query = select(User).where(User.role == "admin", User.is_enabled, User.password_hash != "")
    return session.scalars(query.order_by(User.id).with_for_update()).all()


def _last_administrator() -> Conflict:
    return Conflict(N_("Nobody else could manage the shop then. Make somebody else an administrator first."))
