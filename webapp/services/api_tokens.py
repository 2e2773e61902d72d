"""API tokens: bearer tokens for machines, named, for reading or writing too, shown once and kept as a hash."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import joinedload

from webapp.database import write_transaction
from webapp.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.extensions import db
from webapp.models import TOKEN_SCOPES, ApiToken, User
from webapp.models.base import utc_now
from webapp.resources.base import N_
from webapp.resources.types import Problem, clean_text
from webapp.services.accounts import require_role
from webapp.services.secret_keys import hash_key, make_key
from webapp.services.user_audit import audit_user

PREFIX = "sr_"  # so that a leaked one is known for what it is
LONGEST_NAME = 80
LONGEST_DAYS = 3650
MOST_TOKENS = 100
SEEN_EVERY = timedelta(minutes=1)
PAGE_ROWS = 50


def create_token(
    actor: User, name: str, *, days: int | None = None, scope: str = "write"
) -> tuple[ApiToken, str]:
    """Make a token of the actor's own and return it with its key, which is known now and never again.

    ``days`` until it expires, None for never. Invalid says what is wrong; nobody gives what they do not have.
    """
    name = clean_text(name)
    if problems := _find_problems(actor, name, days, scope):
        raise Invalid(problems)
    key = make_key(PREFIX)
    with write_transaction() as session:
        if len(list_tokens(actor, actor.id)) >= MOST_TOKENS:
            raise Conflict(N_("You have too many tokens. Revoke those that nothing uses any more."))
        token = ApiToken(
            user_id=actor.id,
            name=name,
            scope=scope,
            token_hash=hash_key(key),
            expires_at=utc_now() + timedelta(days=days) if days else None,
        )
        session.add(token)
        session.flush()
        audit_user(session, actor, "token_created", actor, after={"name": name, "scope": scope})
        return token, key


def list_tokens(actor: User, user_id: int) -> Sequence[ApiToken]:
    """Return the tokens of a user that are not revoked, newest first: one's own, or anybody's for administrators."""
    if not (actor.id == user_id or actor.is_admin):
        raise NotFound(user_id)
    query = select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
    return db.session.scalars(query.order_by(ApiToken.id.desc())).all()


def list_all_tokens(
    actor: User, *, before: int | None = None, limit: int = PAGE_ROWS
) -> tuple[Sequence[ApiToken], int | None]:
    """Return everybody's tokens that are not revoked, newest first, and the id before which to go on."""
    require_role(actor, "admin")
    query = select(ApiToken).where(ApiToken.revoked_at.is_(None)).options(joinedload(ApiToken.user))
    if before is not None:
        query = query.where(ApiToken.id < before)
    found = db.session.scalars(query.order_by(ApiToken.id.desc()).limit(limit + 1)).all()
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def get_token(actor: User, token_id: int) -> ApiToken:
    """Return a token: one's own, or anybody's for an administrator."""
    token = db.session.get(ApiToken, token_id)
    if token is None or not (token.user_id == actor.id or actor.is_admin):
        raise NotFound(token_id)
    return token


def revoke_token(actor: User, token_id: int) -> ApiToken:
    """Let a token work no more: one's own, or anybody's for an administrator."""
    with write_transaction() as session:
        token = get_token(actor, token_id)
        if token.revoked_at is None:
            token.revoked_at = utc_now()
            audit_user(session, actor, "token_revoked", token.user, after={"name": token.name})
        return token


def authenticate_token(key: str) -> ApiToken | None:
    """Return the token of a key with its user, while it works, and remember that it was used."""
    now = utc_now()
    query = select(ApiToken).where(
        ApiToken.token_hash == hash_key(key),
        ApiToken.revoked_at.is_(None),
        or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
    )
    token = db.session.scalar(query.options(joinedload(ApiToken.user, innerjoin=True)))
    if token is None or not token.user.is_enabled:
        return None
    if token.last_used_at is None or token.last_used_at < now - SEEN_EVERY:
        with write_transaction() as session:
            session.execute(update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=now))
    return token


def can_write(token: ApiToken) -> bool:
    """Whether what comes with this token may change anything: its scope says so, and its user's role still."""
    return token.scope == "write" and token.user.has_role("editor")


def _find_problems(actor: User, name: str, days: int | None, scope: str) -> dict[str, Problem]:
    problems = {}
    if not name:
        problems["name"] = Problem(N_("The token has no name."), N_("Name what will use it."))
    elif len(name) > LONGEST_NAME:
        problems["name"] = Problem(
            N_("The name is longer than %(limit)s characters."), N_("Shorten it."), limit=LONGEST_NAME
        )
    if scope not in TOKEN_SCOPES:
        problems["scope"] = Problem(N_("A token is for reading, or for reading and writing."))
    elif scope == "write" and not actor.has_role("editor"):
        raise Forbidden("editor")
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        problems["days"] = Problem(
            N_("A token lasts from 1 to %(limit)s days, or for ever."), limit=LONGEST_DAYS
        )
    return problems
