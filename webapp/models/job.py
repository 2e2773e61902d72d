"""Background work: the row is the job, the Huey message only carries its id."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.models.account import User
from webapp.models.base import KEEP_IDS, Id, Json, Moment, intpk, name255, utc_now

STATUSES = ("pending", "processing", "completed", "failed", "cancelled")
FINAL_STATUSES = ("completed", "failed", "cancelled")


class TaskNotification(Base):
    """One job: what to do, for whom, how far it is, how it ended, and whether its end was read."""

    __tablename__ = "task_notification"
    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')", name="status"
        ),
        # A lease belongs to a running job and to no other: tests hold the house to this.
        CheckConstraint("(status = 'processing') = (lease_until IS NOT NULL)", name="lease"),
        Index(
            "uq_task_notification_queue_key_active",
            "queue_key",
            unique=True,
            sqlite_where=text("status IN ('pending', 'processing')"),
            postgresql_where=text("status IN ('pending', 'processing')"),
        ),
        Index(
            "ix_task_notification_active",
            "status",
            "run_after",
            sqlite_where=text("status IN ('pending', 'processing')"),
            postgresql_where=text("status IN ('pending', 'processing')"),
        ),
        # The monitor's lists go by keyset through these: first pages do not slow down with history.
        Index("ix_task_notification_user_id_id", "user_id", "id"),
        # The bell of every page counts these.
        Index(
            "ix_task_notification_unread",
            "user_id",
            "id",
            sqlite_where=text("is_read IS 0"),
            postgresql_where=text("is_read IS false"),
        ),
        Index("ix_task_notification_status_id", "status", "id"),
        Index("ix_task_notification_status_task_type_id", "status", "task_type", "id"),
        Index("ix_task_notification_task_type_id", "task_type", "id"),
        Index("ix_task_notification_model_name_id", "model_name", "id"),
        Index("ix_task_notification_created_at", "created_at"),
        Index("ix_task_notification_completed_at", "completed_at"),
        Index(
            "ix_task_notification_failed",
            "completed_at",
            sqlite_where=text("status = 'failed'"),
            postgresql_where=text("status = 'failed'"),
        ),
        # The failures of one cause, however rare it is.
        Index(
            "ix_task_notification_cause",
            "error_fingerprint",
            "id",
            sqlite_where=text("status = 'failed'"),
            postgresql_where=text("status = 'failed'"),
        ),
        Index("ix_task_notification_expires_at", "expires_at"),
    )

    id: Mapped[intpk]
    task_id: Mapped[str] = mapped_column(String(36), unique=True)
    task_type: Mapped[str] = mapped_column(String(30))
    model_name: Mapped[str | None] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(20), default="pending")
    file_format: Mapped[str | None] = mapped_column(String(20))
    params: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    data_import_id: Mapped[int | None] = mapped_column(ForeignKey("data_import.id"), index=True)

    processed: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    record_count: Mapped[int | None]
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    error_message: Mapped[str | None] = mapped_column(Text)
    error_phrases: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)  # what it is translated from
    traceback: Mapped[str | None] = mapped_column(Text)
    failure_kind: Mapped[str | None] = mapped_column(String(20))
    error_fingerprint: Mapped[str | None] = mapped_column(String(64))
    file_path: Mapped[str | None] = mapped_column(String(255))
    file_size: Mapped[int | None] = mapped_column(Id)
    sha256: Mapped[str | None] = mapped_column(String(64))
    is_read: Mapped[bool] = mapped_column(default=False)

    attempt: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=4)
    crashes: Mapped[int] = mapped_column(default=0)
    token: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None] = mapped_column(Moment)
    lease_owner: Mapped[str | None] = mapped_column(String(100))
    heartbeat_at: Mapped[datetime | None] = mapped_column(Moment)
    progress_at: Mapped[datetime | None] = mapped_column(Moment)
    stack: Mapped[str | None] = mapped_column(Text)
    stack_at: Mapped[datetime | None] = mapped_column(Moment)
    phase: Mapped[str | None] = mapped_column(String(50))
    checkpoint: Mapped[dict[str, Any] | None] = mapped_column(Json)
    queue_key: Mapped[str | None] = mapped_column(String(200))
    run_after: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    dispatched_at: Mapped[datetime | None] = mapped_column(Moment)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(Moment)
    code_version: Mapped[str | None] = mapped_column(String(40))
    body_version: Mapped[int] = mapped_column(default=1, server_default="1")
    state_version: Mapped[int] = mapped_column(default=1)

    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    completed_at: Mapped[datetime | None] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)

    user: Mapped[User | None] = relationship()

    @property
    def has_file(self) -> bool:
        """Whether its file can be had: complete, still kept, and its time not over."""
        is_over = self.expires_at is not None and self.expires_at <= utc_now()
        return self.status == "completed" and self.file_path is not None and not is_over

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status in FINAL_STATUSES


class JobAttempt(Base):
    """One try at a job, with how it ended."""

    __tablename__ = "job_attempt"
    __table_args__ = (UniqueConstraint("job_id", "token"),)

    id: Mapped[intpk]
    job_id: Mapped[int] = mapped_column(ForeignKey("task_notification.id", ondelete="CASCADE"))
    token: Mapped[int]
    attempt: Mapped[int]
    owner: Mapped[str | None] = mapped_column(String(100))
    started_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[str | None] = mapped_column(String(20))
    rows_done: Mapped[int | None]
    error_message: Mapped[str | None] = mapped_column(Text)
    error_phrases: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)  # what it is translated from
    traceback: Mapped[str | None] = mapped_column(Text)


class JobLog(Base):
    """One line that a consumer logged, for the job that it was about, if any."""

    __tablename__ = "job_log"
    __table_args__ = (Index("ix_job_log_job_id_id", "job_id", "id"), Index("ix_job_log_at", "at"), KEEP_IDS)

    id: Mapped[intpk]
    # No foreign key: a line that comes after its job was deleted must not spoil its whole batch.
    job_id: Mapped[int | None] = mapped_column(Id)
    consumer: Mapped[str | None] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    level: Mapped[str] = mapped_column(String(10))
    logger: Mapped[str] = mapped_column(String(100), default="")
    message: Mapped[str] = mapped_column(Text)
    exception: Mapped[str | None] = mapped_column(Text)


class Consumer(Base):
    """One worker process, seen by its heartbeat."""

    __tablename__ = "consumer"

    id: Mapped[intpk]
    name: Mapped[name255] = mapped_column(unique=True)
    host: Mapped[name255]
    pid: Mapped[int]
    boot_id: Mapped[str] = mapped_column(String(40))
    version: Mapped[str | None] = mapped_column(String(40))
    started_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    heartbeat_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    busy_job_id: Mapped[int | None] = mapped_column(Id)
    memory_bytes: Mapped[int | None] = mapped_column(Id)
    dropped_log_lines: Mapped[int] = mapped_column(default=0)


class PeriodicSlot(Base):
    """One scheduled moment of one periodic task: whoever inserts the row runs it, so it runs once."""

    __tablename__ = "periodic_slot"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    slot: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    job_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)


class Schedule(Base):
    """What an operator decided about one periodic task; without a row it is enabled."""

    __tablename__ = "schedule"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    is_enabled: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
