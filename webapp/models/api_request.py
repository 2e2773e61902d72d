"""What a script has asked for, so that asking once more after a broken connection asks for nothing new."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.base import Json, Moment, intpk, name255, utc_now


class ApiRequest(Base):
    """What came of the request with one Idempotency-Key of a user: a job, with which it goes, or outcomes."""

    __tablename__ = "api_request"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    id: Mapped[intpk]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    key: Mapped[name255]
    digest: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[int | None] = mapped_column(
        ForeignKey("task_notification.id", ondelete="CASCADE"), index=True
    )
    outcomes: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
