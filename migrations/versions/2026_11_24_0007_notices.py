"""notices: news for people that is not the end of a job."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "notice",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("job_id", ID, nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("is_read", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_notice_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("user_id", "kind", "job_id", name=op.f("uq_notice_user_id_kind_job_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_notice_unread",
        "notice",
        ["user_id", "id"],
        sqlite_where=sa.text("is_read IS 0"),
        postgresql_where=sa.text("is_read IS false"),
    )
    op.create_index("ix_notice_user_id_at", "notice", ["user_id", "at"])
    op.create_index("ix_notice_at", "notice", ["at"])


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("notice")
