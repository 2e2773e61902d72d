"""Users: who they are, proof of it, and what they change themselves."""

import logging

from sqlalchemy import exists, select

from webapp.database import write_transaction
from webapp.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.extensions import db
from webapp.models import ROLES, User
from webapp.resources.base import N_
from webapp.resources.types import Email, Problem, fold_key
from webapp.services.passwords import find_password_problem, hash_password, is_password
from webapp.services.secret_keys import make_key
from webapp.services.user_audit import audit_user
from webapp.services.user_sessions import remove_sessions

log = logging.getLogger(__name__)

MADE_PASSWORD_LENGTH = 16


def require_role(actor: User, role: str) -> None:
    """Raise Forbidden unless the actor's role includes this one."""
    if not actor.has_role(role):
        raise Forbidden(role)


def create_user(email: str, role: str, password: str | None = None) -> tuple[User, str]:
    """Add a user and return them with their password, made here when none is given.

    Invalid says what is wrong with the address, the role or the password.
    """
    problems = find_user_problems(email, role)
    if password is not None and (problem := find_password_problem(password)):
        problems["password"] = problem
    if problems:
        raise Invalid(problems)
    chosen = password or make_key()[:MADE_PASSWORD_LENGTH]
    hashed = hash_password(chosen)  # slow on purpose, so before the lock is taken
    return insert_user(email, role, hashed), chosen


def insert_user(email: str, role: str, password_hash: str) -> User:
    """Add the row of a user whose values were checked. Invalid when the address is somebody's already."""
    with write_transaction() as session:
        if find_user(email) is not None:
            raise Invalid({"email": Problem(N_("There is already a user with this e-mail address."))})
        user = User(email=email.strip(), email_key=fold_key(email), role=role, password_hash=password_hash)
        session.add(user)
        session.flush()
        return user


def find_user_problems(email: str, role: str) -> dict[str, Problem]:
    """Return what is wrong with the address and the role of a new user, by field."""
    problems = {}
    try:
        Email().parse(email)
    except Problem as problem:
        problems["email"] = problem
    if role_problem := find_role_problem(role):
        problems["role"] = role_problem
    return problems


def find_role_problem(role: str) -> Problem | None:
    """Return what is wrong with the name of a role, or None."""
    if role in ROLES:
        return None
    return Problem(
        N_("“%(value)s” is not a role."),
        N_("Use one of: %(choices)s."),
        value=role,
        choices=", ".join(ROLES),
    )


def find_user(email: str) -> User | None:
    """Return the user with this address, whatever its case."""
    return db.session.scalar(select(User).where(User.email_key == fold_key(email)))


def get_user(email: str) -> User:
    """Return the user with this address; NotFound when there is none."""
    user = find_user(email)
    if user is None:
        raise NotFound(email)
    return user


def authenticate(email: str, password: str) -> User | None:
    """Return the user whose password this is, or None. Both answers take equally long."""
    user = find_user(email)
    db.session.rollback()  # no transaction stays open over the slow hash
    is_right = is_password(user.password_hash if user else None, password)
    if user is None or not user.is_enabled or not is_right:
        log.warning("A sign-in failed for %s.", f"user {user.id}" if user else "an unknown address")
        return None
    log.info("User %s signed in.", user.id)
    return user


def change_password(actor: User, current: str, new: str, *, keep_session: int | None) -> None:
    """Give the actor a new password and sign them out everywhere but in the session at hand.

    Invalid when the current one is wrong or the new one is not taken.
    """
    problems = {}
    stored = actor.password_hash
    db.session.rollback()  # no transaction stays open over the slow hashes
    if not is_password(stored, current):
        problems["current"] = Problem(N_("That is not your current password."))
    if problem := find_password_problem(new):
        problems["new"] = problem
    if problems:
        raise Invalid(problems)
    hashed = hash_password(new)
    with write_transaction() as session:
        user = session.get_one(User, actor.id)
        if user.password_hash != stored:
            raise Conflict(N_("Your password was changed a moment ago. Sign in with the new one."))
        user.password_hash = hashed
        remove_sessions(session, user.id, keep_id=keep_session)
        audit_user(session, user, "password_changed", user)


def has_users() -> bool:
    """Whether anybody can sign in yet."""
    return bool(db.session.scalar(select(exists().where(User.id > 0))))
