"""News for people that is not the end of a job: each person has a copy of their own, to be read or not."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import ROLES, Notice, User
from webapp.models.base import Json, Moment, utc_now
from webapp.services.upsert import upsert

STOCK_LOW = "stock_low"
FRESH = timedelta(minutes=10)  # what is older is no news for a toast, only for the list
LIST_LIMIT = 100
PRUNED_AT_ONCE = 1_000


def add_notice(
    session: Session, kind: str, *, role: str, count: int, data: dict[str, Any], job_id: int | None
) -> None:
    """Tell everybody of a role or above it, in the caller's transaction.

    What a job has told before is counted up, and unread again. ``data`` is about the first of ``count``.
    """
    values = select(
        literal(utc_now(), Moment),
        User.id,
        literal(kind),
        literal(job_id, Notice.job_id.type),
        literal(count),
        literal(data, Json),
        literal(False),
    ).where(User.role.in_(ROLES[ROLES.index(role) :]), User.is_enabled.is_(True))
    names = ["at", "user_id", "kind", "job_id", "count", "data", "is_read"]
    if job_id is None:
        session.execute(insert(Notice).from_select(names, values, include_defaults=False))
        return
    added = upsert(session, Notice).from_select(names, values, include_defaults=False)
    session.execute(
        added.on_conflict_do_update(
            index_elements=["user_id", "kind", "job_id"],
            set_={"count": Notice.count + added.excluded.count, "at": added.excluded.at, "is_read": False},
        )
    )


def list_notices(
    actor: User, *, after: datetime | None = None, before: datetime | None = None
) -> Sequence[Notice]:
    """Return the actor's notices of a time, newest first: later than ``after``, up to ``before``."""
    query = select(Notice).where(Notice.user_id == actor.id)
    if after is not None:
        query = query.where(Notice.at > after)
    if before is not None:
        query = query.where(Notice.at <= before)
    return db.session.scalars(query.order_by(Notice.at.desc(), Notice.id.desc()).limit(LIST_LIMIT)).all()


def list_fresh(actor: User, kind: str) -> Sequence[Notice]:
    """Return the actor's unread notices of a kind that are fresh, newest first."""
    query = select(Notice).where(Notice.user_id == actor.id, Notice.is_read.is_(False), Notice.kind == kind)
    query = query.where(Notice.at > utc_now() - FRESH)
    return db.session.scalars(query.order_by(Notice.id.desc()).limit(LIST_LIMIT)).all()


def count_of_unread(actor: User) -> Any:
    """Return the subquery that counts the actor's unread notices."""
    query = select(func.count()).select_from(Notice)
    return query.where(Notice.user_id == actor.id, Notice.is_read.is_(False)).scalar_subquery()


def read_notices(actor: User, kind: str | None = None) -> None:
    """Mark the actor's notices as read: all of them, or those of a kind."""
    which = [Notice.user_id == actor.id, Notice.is_read.is_(False)]
    if kind is not None:
        which.append(Notice.kind == kind)
    with write_transaction() as session:
        session.execute(
            update(Notice).where(*which).values(is_read=True).execution_options(synchronize_session=False)
        )


def prune_notices(before: datetime) -> int:
    """Delete the notices of before a moment, some at a time; return how many."""
    removed = 0
    while True:
        with write_transaction() as session:
            old = select(Notice.id).where(Notice.at < before).order_by(Notice.at).limit(PRUNED_AT_ONCE)
            ids = session.scalars(old).all()
            session.execute(delete(Notice).where(Notice.id.in_(ids)))
        removed += len(ids)
        if len(ids) < PRUNED_AT_ONCE:
            return removed
