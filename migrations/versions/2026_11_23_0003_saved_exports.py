"""saved exports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "saved_export",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.Column("model_name", sa.String(length=50), nullable=False),
        sa.Column("file_format", sa.String(length=20), nullable=False),
        sa.Column("params", JSON, nullable=False),
        sa.Column("repeat", sa.String(length=10), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", JSON, nullable=True),
        sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_task_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "repeat IN ('never', 'daily', 'weekly', 'monthly')", name=op.f("ck_saved_export_repeat")
        ),
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name=op.f("ck_saved_export_hour")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_saved_export_weekday")),
        sa.CheckConstraint("day BETWEEN 1 AND 31", name=op.f("ck_saved_export_day")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_saved_export_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_export")),
        sa.UniqueConstraint("user_id", "name_key", name=op.f("uq_saved_export_user_id_name_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_saved_export_next_run_at"), "saved_export", ["next_run_at"])


def downgrade() -> None:
    """Take the step back."""
    op.drop_index(op.f("ix_saved_export_next_run_at"), table_name="saved_export")
    op.drop_table("saved_export")
