"""How users get in and stay in: the sessions of their browsers, and links that work once."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from webapp.extensions import Base
from webapp.models.account import User
from webapp.models.base import KEEP_IDS, Moment, intpk, utc_now

LINK_PURPOSES = ("invitation", "password_reset")


class UserSession(Base):
    """A browser in which a user is signed in. Only the SHA-256 of its key is kept; no row, no session."""

    __tablename__ = "user_session"
    __table_args__ = KEEP_IDS  # a live connection's room is named after the id

    id: Mapped[intpk]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(Moment, default=utc_now, index=True)
    address: Mapped[str] = mapped_column(String(45), default="")
    browser: Mapped[str] = mapped_column(String(255), default="")

    user: Mapped[User] = relationship()
    last_event_id: Mapped[int | None] = query_expression()  # of when a request looked the session up


class UserLink(Base):
    """A link by which somebody sets their password, once. Only the SHA-256 of its token is kept."""

    __tablename__ = "user_link"
    __table_args__ = (CheckConstraint("purpose IN ('invitation', 'password_reset')", name="purpose"),)

    id: Mapped[intpk]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Moment)

    user: Mapped[User] = relationship()
