"""What happened: the changes of records, the live events, news for people, and the metrics last computed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.base import KEEP_IDS, Id, Json, Moment, intpk, utc_now


class Change(Base):
    """One change of one record, append-only (a trigger sees to it): audit, undo and price history read it.

    On PostgreSQL no foreign key looks each change's actor up: a trigger of users keeps those who have changed something.
    """

    __tablename__ = "change"
    __table_args__ = (
        Index("ix_change_resource_record_id_id", "resource", "record_id", "id"),
        Index("ix_change_job_id_id", "job_id", "id"),
        Index("ix_change_at", "at"),
    )

    id: Mapped[intpk]
    at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    source: Mapped[str] = mapped_column(String(20))
    job_id: Mapped[int | None] = mapped_column(Id)
    line: Mapped[int | None]
    resource: Mapped[str] = mapped_column(String(50))
    record_id: Mapped[int] = mapped_column(Id)
    action: Mapped[str] = mapped_column(String(20))
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any] | None] = mapped_column(Json)


class Event(Base):
    """One thing for browsers to look at again. Small: ids, numbers, short text, never HTML."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_audience_id", "audience", "id"), Index("ix_event_at", "at"), KEEP_IDS)

    id: Mapped[intpk]
    at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    audience: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(50))
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class Notice(Base):
    """News for one person that is not the end of a job. What one job says again and again is one notice."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("user_id", "kind", "job_id"),
        # The bell of every page counts these.
        Index(
            "ix_notice_unread",
            "user_id",
            "id",
            sqlite_where=text("is_read IS 0"),
            postgresql_where=text("is_read IS false"),
        ),
        Index("ix_notice_user_id_at", "user_id", "at"),
        Index("ix_notice_at", "at"),
        KEEP_IDS,
    )

    id: Mapped[intpk]
    at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(30))
    # No foreign key: the job may be deleted before the news is old.
    job_id: Mapped[int | None] = mapped_column(Id)
    count: Mapped[int] = mapped_column(default=1)
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    is_read: Mapped[bool] = mapped_column(default=False)


class Metric(Base):
    """The last good value of one of the dashboard's keys; it never expires."""

    __tablename__ = "metric"

    key: Mapped[str] = mapped_column(String(50), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(Json)
    computed_at: Mapped[datetime] = mapped_column(Moment)
