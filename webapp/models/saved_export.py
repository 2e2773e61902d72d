"""An export that somebody named, to run it again by hand or at its hours."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.models.account import User
from webapp.models.base import KEEP_IDS, Json, Moment, intpk, name255, utc_now

REPEATS = ("never", "daily", "weekly", "monthly")


class SavedExport(Base):
    """What to export and how, and when by itself. ``params`` are those of an export's job.

    ``weekday`` counts from Monday as 0; a month without its ``day`` takes its last one. ``note`` is the
    sentence that says why the last scheduled run did not start.
    """

    __tablename__ = "saved_export"
    __table_args__ = (
        CheckConstraint("repeat IN ('never', 'daily', 'weekly', 'monthly')", name="repeat"),
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("day BETWEEN 1 AND 31", name="day"),
        UniqueConstraint("user_id", "name_key"),
        # Ids name the slots of a schedule, so that a new one must not get a deleted one's.
        KEEP_IDS,
    )

    id: Mapped[intpk]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    name: Mapped[name255]
    name_key: Mapped[name255]
    model_name: Mapped[str] = mapped_column(String(50))
    file_format: Mapped[str] = mapped_column(String(20))
    params: Mapped[dict[str, Any]] = mapped_column(Json)

    repeat: Mapped[str] = mapped_column(String(10), default="never")
    hour: Mapped[int] = mapped_column(default=6)
    weekday: Mapped[int] = mapped_column(default=0)
    day: Mapped[int] = mapped_column(default=1)
    next_run_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    note: Mapped[dict[str, Any] | None] = mapped_column(Json)
    last_run_at: Mapped[datetime | None] = mapped_column(Moment)
    # No foreign key: jobs are swept, and what they were asked by stays.
    last_task_id: Mapped[str | None] = mapped_column(String(36))

    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)

    user: Mapped[User] = relationship()
