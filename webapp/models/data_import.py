"""An import as a person works on it: the file, what was understood, what was decided."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.models.account import User
from webapp.models.base import Id, Json, Moment, intpk, name255, utc_now

IMPORT_STATES = ("uploaded", "inspected", "checked", "applying", "applied", "undone")


class DataImport(Base):
    """One uploaded file on its way into the stock. Jobs belong to it; no job waits for a person.

    ``overrides`` is what a person decided about the reading. ``undone_to`` is the change down to which
    what it did has been taken back; without one nothing was.
    """

    __tablename__ = "data_import"
    __table_args__ = (
        CheckConstraint(
            "state IN ('uploaded', 'inspected', 'checked', 'applying', 'applied', 'undone')", name="state"
        ),
        Index("ix_data_import_user_id_id", "user_id", "id"),
        Index("ix_data_import_sha256", "sha256"),
    )

    id: Mapped[intpk]
    public_id: Mapped[str] = mapped_column(String(36), unique=True)
    resource: Mapped[str] = mapped_column(String(50))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    state: Mapped[str] = mapped_column(String(20), default="uploaded")
    file_name: Mapped[name255]
    file_path: Mapped[str | None] = mapped_column(String(255))
    file_size: Mapped[int] = mapped_column(Id)
    sha256: Mapped[str] = mapped_column(String(64))
    dialect: Mapped[dict[str, Any] | None] = mapped_column(Json)
    sample: Mapped[list[Any] | None] = mapped_column(Json)
    overrides: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    row_count: Mapped[int | None]
    mapping: Mapped[dict[str, Any] | None] = mapped_column(Json)
    options: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    report: Mapped[dict[str, Any] | None] = mapped_column(Json)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    applied_at: Mapped[datetime | None] = mapped_column(Moment)
    undone_at: Mapped[datetime | None] = mapped_column(Moment)
    undone_to: Mapped[int | None] = mapped_column(Id)

    user: Mapped[User | None] = relationship()


class ImportJob(Base):
    """Which import a job's changes belong to, for as long as the changes are kept: jobs are deleted.

    SQLite may give a deleted job's number to a later one; that one's changes come after ``after_change``.
    """

    __tablename__ = "import_job"

    job_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    data_import_id: Mapped[int] = mapped_column(ForeignKey("data_import.id", ondelete="CASCADE"), index=True)
    after_change: Mapped[int] = mapped_column(Id, default=0)


class ImportRowError(Base):
    """One reason why one row of a file was not taken, kept with its line.

    The first reason of a row holds the row, and what a person has corrected in it (``fixes``).
    """

    __tablename__ = "import_row_error"
    __table_args__ = (
        Index("ix_import_row_error_job_id_line", "job_id", "line"),
        Index("ix_import_row_error_data_import_id_line", "data_import_id", "line"),
    )

    id: Mapped[intpk]
    data_import_id: Mapped[int] = mapped_column(ForeignKey("data_import.id", ondelete="CASCADE"))
    job_id: Mapped[int] = mapped_column(ForeignKey("task_notification.id", ondelete="CASCADE"))
    line: Mapped[int]
    column: Mapped[str | None] = mapped_column(String(255))
    value: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    advice: Mapped[str] = mapped_column(Text, default="")
    params: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    row: Mapped[dict[str, Any] | None] = mapped_column(Json)
    fixes: Mapped[dict[str, Any] | None] = mapped_column(Json)


class ImportKept(Base):
    """One record that taking an import back has left as it is, and why."""

    __tablename__ = "import_kept"
    __table_args__ = (
        UniqueConstraint("data_import_id", "resource", "record_id"),
        Index("ix_import_kept_resource_record_id", "resource", "record_id"),
    )

    id: Mapped[intpk]
    data_import_id: Mapped[int] = mapped_column(ForeignKey("data_import.id", ondelete="CASCADE"))
    resource: Mapped[str] = mapped_column(String(50))
    record_id: Mapped[int] = mapped_column(Id)
    line: Mapped[int | None]
    key: Mapped[str] = mapped_column(Text, default="")
    message: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class ImportProfile(Base):
    """What a person decided about one supplier's files, by name, to be used again."""

    __tablename__ = "import_profile"
    __table_args__ = (UniqueConstraint("user_id", "resource", "name"),)

    id: Mapped[intpk]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    resource: Mapped[str] = mapped_column(String(50))
    name: Mapped[name255]
    mapping: Mapped[dict[str, Any]] = mapped_column(Json)
    options: Mapped[dict[str, Any]] = mapped_column(Json)
    style: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
