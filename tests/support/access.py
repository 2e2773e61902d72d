"""What tests of users ask: what the audit kept, and what the web processes were told."""

from typing import Any

from sqlalchemy import select

from webapp.extensions import db
from webapp.live import ACCESS_CHANGED
from webapp.models import Change, Event
from webapp.services.user_audit import USERS


def kept_deeds() -> list[tuple[int | None, str, int]]:
    """What was done to users: by whom, what, to whom."""
    db.session.rollback()
    query = select(Change.actor_id, Change.action, Change.record_id).where(Change.resource == USERS)
    return [tuple(row) for row in db.session.execute(query.order_by(Change.id))]  # type: ignore[misc]


def kept_values() -> list[tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    """What the audit says of before and after."""
    db.session.rollback()
    query = select(Change.before, Change.after).where(Change.resource == USERS).order_by(Change.id)
    return [tuple(row) for row in db.session.execute(query)]


def closed_rooms() -> list[str]:
    """The audiences whose sockets were to be closed, in order."""
    db.session.rollback()
    query = select(Event.audience).where(Event.name == ACCESS_CHANGED).order_by(Event.id)
    return list(db.session.scalars(query))
