"""Links by which somebody sets their password, once: an invitation, or a forgotten password.

No mail is sent: the link is shown once to the administrator who made it, to be handed over.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, joinedload

from webapp.database import write_transaction
from webapp.errors import Conflict, Invalid, NotFound
from webapp.extensions import db
from webapp.models import User, UserLink
from webapp.models.base import utc_now
from webapp.resources.base import N_
from webapp.services.accounts import find_user_problems, insert_user, require_role
from webapp.services.passwords import find_password_problem, hash_password
from webapp.services.secret_keys import hash_key, make_key
from webapp.services.user_audit import audit_user
from webapp.services.user_sessions import remove_sessions

LIFETIMES = {"invitation": timedelta(days=7), "password_reset": timedelta(hours=24)}
PATHS = {"invitation": "/invitation", "password_reset": "/password-reset"}
KEPT = timedelta(days=30)  # so that a page can be asked later why a link does not work


@dataclass(frozen=True)
class MadeLink:
    """A link that was just made. Its token is known now and never again."""

    user: User
    purpose: str
    token: str
    expires_at: datetime


def invite_user(actor: User, email: str, role: str) -> MadeLink:
    """Add a user without a password and return the link by which they choose one."""
    require_role(actor, "admin")
    if problems := find_user_problems(email, role):
        raise Invalid(problems)
    with write_transaction() as session:
        user = insert_user(email, role, password_hash="")
        audit_user(session, actor, "invited", user, after={"role": role})
        return _add_link(session, user)


def create_link(actor: User, user_id: int) -> MadeLink:
    """Return a new link for a user: an invitation until they have chosen a password, then one for another.

    Links made before no longer work. Conflict when the user is disabled.
    """
    require_role(actor, "admin")
    with write_transaction() as session:
        user = session.get(User, user_id)
        if user is None:
            raise NotFound(user_id)
        if not user.is_enabled:
            raise Conflict(N_("This user is disabled. Enable them first."))
        made = _add_link(session, user)
        audit_user(session, actor, "link_created", user, after={"purpose": made.purpose})
        return made


def find_link(token: str) -> UserLink | None:
    """Return the link of a token with its user, while it works; unknown, used and expired are all None."""
    found = db.session.scalar(
        select(UserLink)
        .where(UserLink.token_hash == hash_key(token))
        .options(joinedload(UserLink.user, innerjoin=True))
    )
    if found is None or found.used_at or found.expires_at <= utc_now() or not found.user.is_enabled:
        return None
    return found


def redeem_link(token: str, password: str) -> User:
    """Set the password of the link's user, who is signed out everywhere; the link has then been used.

    Invalid when the password is not taken; NotFound when the link does not work, or no longer.
    """
    if find_link(token) is None:
        raise NotFound(token)
    if problem := find_password_problem(password):
        raise Invalid({"password": problem})
    db.session.rollback()  # no transaction stays open over the slow hash
    hashed = hash_password(password)
    with write_transaction() as session:
        link = find_link(token)
        if link is None or not _take(session, link):
            raise NotFound(token)
        user = link.user
        user.password_hash = hashed
        void_links(session, user.id)
        remove_sessions(session, user.id)
        audit_user(session, user, "password_set", user, after={"by": link.purpose})
        return user


def void_links(session: Session, user_id: int) -> None:
    """Let no open link of a user work any more."""
    open_ones = update(UserLink).where(UserLink.user_id == user_id, UserLink.used_at.is_(None))
    session.execute(open_ones.values(used_at=utc_now()))


def prune_links(now: datetime) -> int:
    """Delete links that expired long ago; return how many."""
    with write_transaction() as session:
        old = select(UserLink.id).where(UserLink.expires_at < now - KEPT)
        ids = session.scalars(old).all()
        session.execute(delete(UserLink).where(UserLink.id.in_(ids)))
        return len(ids)


def _take(session: Session, link: UserLink) -> bool:
    """Mark a link as used, if nobody was faster: the row decides, not what was read before."""
    taken = session.execute(
        update(UserLink)
        .where(UserLink.id == link.id, UserLink.used_at.is_(None))
        .values(used_at=utc_now())
        .returning(UserLink.id)
    )
    return taken.first() is not None


def _add_link(session: Session, user: User) -> MadeLink:
    void_links(session, user.id)
    purpose = "password_reset" if user.has_password else "invitation"
    token, expires_at = make_key(), utc_now() + LIFETIMES[purpose]
    session.add(UserLink(user_id=user.id, purpose=purpose, token_hash=hash_key(token), expires_at=expires_at))
    return MadeLink(user, purpose, token, expires_at)
