"""What there is to tell one person: the ends of their jobs, and notices, as one list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Notice, TaskNotification, User
from webapp.services import jobs, notices


@dataclass(frozen=True)
class NewsItem:
    """One line of the list: the end of a job, or a notice."""

    at: datetime
    job: TaskNotification | None = None
    notice: Notice | None = None


@dataclass(frozen=True)
class NewsPage:
    """Some news, newest first. ``next_before`` is where the next page begins, None at the end."""

    items: Sequence[NewsItem]
    next_before: int | None


def count_unread(actor: User) -> int:
    """Return how much was not looked at yet; one query, because every page asks it."""
    both = select(jobs.count_of_unread(actor) + notices.count_of_unread(actor))
    return db.session.scalar(both) or 0


def list_news(actor: User, *, before_id: int | None = None, limit: int = 50) -> NewsPage:
    """Return ``limit`` ended jobs from below a job's id, with the notices of the time that they span."""
    found = jobs.list_notifications(actor, before_id=before_id, limit=limit + 1)
    shown = found[:limit]
    is_last = len(found) <= limit
    told = notices.list_notices(
        actor,
        after=None if is_last else shown[-1].created_at,
        before=None if before_id is None else _get_moment(before_id),
    )
    items = [NewsItem(job.created_at, job=job) for job in shown]
    items += [NewsItem(notice.at, notice=notice) for notice in told]
    items.sort(key=lambda item: item.at, reverse=True)
    return NewsPage(items, None if is_last else shown[-1].id)


def _get_moment(job_id: int) -> datetime | None:
    return db.session.scalar(select(TaskNotification.created_at).where(TaskNotification.id == job_id))


def read_all(actor: User) -> None:
    """Mark everything as read."""
    jobs.read_all(actor)
    notices.read_notices(actor)
