"""Users, their roles and their API tokens."""

from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.models.base import Moment, intpk, name255, utc_now

ROLES = ("viewer", "editor", "admin")
TOKEN_SCOPES = ("read", "write")


class User(Base, UserMixin):
    """A person who signs in. A viewer reads and exports, an editor also writes, an admin manages."""

    __tablename__ = "user"
    __table_args__ = (CheckConstraint("role IN ('viewer', 'editor', 'admin')", name="role"),)

    id: Mapped[intpk]
    email: Mapped[name255]
    email_key: Mapped[name255] = mapped_column(unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))  # empty until who was invited has chosen one
    role: Mapped[str] = mapped_column(String(20))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str | None] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    last_login_at: Mapped[datetime | None] = mapped_column(Moment)

    session_key = ""  # of the browser that is being signed in; it leaves with the cookie and is never stored

    @property
    def is_active(self) -> bool:
        """Flask-Login's word for a user who may sign in."""
        return self.is_enabled

    @property
    def is_admin(self) -> bool:
        """Whether the user manages the house."""
        return self.role == "admin"

    @property
    def has_password(self) -> bool:
        """Whether the user has ever chosen a password: who was invited has not."""
        return self.password_hash != ""

    @property
    def state(self) -> str:
        """Whether the user can sign in: active, invited (no password yet) or disabled."""
        if not self.is_enabled:
            return "disabled"
        return "active" if self.has_password else "invited"

    def get_id(self) -> str:
        """What Flask-Login puts into the session cookie: the key of a row in ``user_session``."""
        return self.session_key

    def has_role(self, role: str) -> bool:
        """Whether the user may do what this role may: each role includes the ones before it."""
        return ROLES.index(self.role) >= ROLES.index(role)


class ApiToken(Base):
    """A bearer token for machines. Only its SHA-256 is kept: it is shown once."""

    __tablename__ = "api_token"

    id: Mapped[intpk]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    name: Mapped[name255]
    scope: Mapped[str] = mapped_column(String(20), default="write")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)

    user: Mapped[User] = relationship()

    @property
    def is_expired(self) -> bool:
        """Whether the token's time is over."""
        return self.expires_at is not None and self.expires_at <= utc_now()
