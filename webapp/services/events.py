"""The durable event log, as one person may read it: for sockets that come back, and for scripts."""

from dataclasses import dataclass

from sqlalchemy import ScalarSelect, func, select

from webapp import live
from webapp.extensions import db
from webapp.models import Event, User


@dataclass(frozen=True)
class EventPage:
    """Events after a cursor, oldest first. ``last_id`` is the cursor to go on with."""

    events: list[Event]
    last_id: int
    has_more: bool
    is_complete: bool  # whether nothing between the cursor and the first one can have been swept away


def audiences_of(user: User) -> list[str]:
    """The rooms of a user's browsers: decided here, never asked for by a browser."""
    return [live.EVERYONE, live.user_audience(user.id), live.role_audience(user.role)]


def find_newest_id() -> int:
    """Return the cursor of who has seen everything, of whatever audience."""
    return db.session.scalars(select(select_newest_id())).one()


def select_newest_id() -> ScalarSelect[int]:
    """Return the same as a part of a query."""
    return select(func.coalesce(func.max(Event.id), 0)).scalar_subquery()


def list_missed(user: User, last_id: int, limit: int) -> list[Event]:
    """Return what a browser missed; of a long absence the newest part."""
    query = select(Event).where(Event.id > last_id, Event.audience.in_(audiences_of(user)))
    return list(db.session.scalars(query.order_by(Event.id.desc()).limit(limit)))[::-1]


def list_events(actor: User, after: int | None, limit: int) -> EventPage:
    """Return the actor's events past a cursor; without one, none but the cursor to begin with."""
    newest = find_newest_id()
    if after is None or after > newest:
        return EventPage([], newest, has_more=False, is_complete=True)
    # Not past ``newest``: what comes in meanwhile is for the next page, whose cursor it must not overtake.
    query = select(Event).where(Event.id > after, Event.id <= newest, Event.audience.in_(audiences_of(actor)))
    found = list(db.session.scalars(query.order_by(Event.id).limit(limit + 1)))
    events, has_more = found[:limit], len(found) > limit
    oldest = db.session.scalar(select(func.min(Event.id))) or 0
    last_id = events[-1].id if has_more else newest
    return EventPage(events, last_id, has_more, is_complete=after >= oldest - 1)
