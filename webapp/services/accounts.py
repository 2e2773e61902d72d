"""Users and their tokens: who they are, and proof of it."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import func, select, update
from werkzeug.security import check_password_hash, generate_password_hash

from webapp.database import write_transaction
from webapp.errors import Forbidden, Invalid, NotFound
from webapp.extensions import db
from webapp.models import ROLES, ApiToken, User
from webapp.models.base import utc_now
from webapp.resources.base import N_
from webapp.resources.types import Email, Problem, fold_key

HASH_METHOD = "scrypt:32768:8:3"  # OWASP's floor at 32 MB a hash; Werkzeug's default lies below it
SHORTEST_PASSWORD = 12
COMMON_PASSWORDS = frozenset(
    {"password1234", "123456789012", "qwertyuiop12", "administrator", "stockroom1234"}
)
# Compared when there is no such user, so that the answer takes as long.
_NOBODY = generate_password_hash(secrets.token_hex(16), HASH_METHOD)


def require_role(actor: User, role: str) -> None:
    """Raise Forbidden unless the actor's role includes this one."""
    if not actor.has_role(role):
        raise Forbidden(role)


def create_user(email: str, role: str, password: str | None = None) -> tuple[User, str]:
    """Add a user and return them with their password, made here when none is given.

    Invalid says what is wrong with the address, the role or the password.
    """
    problems = _check_user(email, role, password)
    if problems:
        raise Invalid(problems)
    chosen = password or secrets.token_urlsafe(12)
    hashed = generate_password_hash(chosen, HASH_METHOD)  # slow on purpose, so before the lock is taken
    with write_transaction() as session:
        if find_user(email) is not None:
            raise Invalid({"email": Problem(N_("There is already a user with this e-mail address."))})
        user = User(email=email.strip(), email_key=fold_key(email), role=role, password_hash=hashed)
        session.add(user)
        session.flush()
    return user, chosen


def _check_user(email: str, role: str, password: str | None) -> dict[str, Problem]:
    problems = {}
    try:
        Email().parse(email)
    except Problem as problem:
        problems["email"] = problem
    if role not in ROLES:
        problems["role"] = Problem(
            N_("“%(value)s” is not a role."),
            N_("Use one of: %(choices)s."),
            value=role,
            choices=", ".join(ROLES),
        )
    if password is not None and (len(password) < SHORTEST_PASSWORD or password.lower() in COMMON_PASSWORDS):
        problems["password"] = Problem(
            N_("The password is too short or too common."),
            N_("Use at least %(length)s characters that are not easy to guess."),
            length=SHORTEST_PASSWORD,
        )
    return problems


def find_user(email: str) -> User | None:
    """Return the user with this address, whatever its case."""
    return db.session.scalar(select(User).where(User.email_key == fold_key(email)))


def get_user(email: str) -> User:
    """Return the user with this address; NotFound when there is none."""
    user = find_user(email)
    if user is None:
        raise NotFound(email)
    return user


def load_session_user(session_id: str) -> User | None:
    """Return the user of a session cookie, unless they were disabled or signed out everywhere."""
    user_id, _, version = session_id.partition(".")
    if not user_id.isdigit():
        return None
    user = db.session.get(User, int(user_id))
    if user is None or not user.is_enabled or str(user.session_version) != version:
        return None
    return user


def authenticate(email: str, password: str) -> User | None:
    """Return the user whose password this is, or None. Both answers take equally long."""
    user = find_user(email)
    db.session.rollback()  # no transaction stays open over the slow hash
    if not check_password_hash(user.password_hash if user else _NOBODY, password):
        return None
    if user is None or not user.is_enabled:
        return None
    with write_transaction() as session:
        session.execute(update(User).where(User.id == user.id).values(last_login_at=utc_now()))
    return user


def has_users() -> bool:
    """Whether anybody can sign in yet."""
    return bool(db.session.scalar(select(func.count()).select_from(User)))


def create_token(user: User, name: str = "", days: int | None = None, scope: str = "write") -> str:
    """Make an API token and return it; only its hash is kept. ``days`` until it expires, None for never."""
    token = f"sr_{secrets.token_urlsafe(32)}"
    with write_transaction() as session:
        session.add(
            ApiToken(
                user_id=user.id,
                name=name or "token",
                scope=scope,
                token_hash=hash_token(token),
                expires_at=utc_now() + timedelta(days=days) if days else None,
            )
        )
    return token


def hash_token(token: str) -> str:
    """Return what is stored of a token. It is random and long, so a plain SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
