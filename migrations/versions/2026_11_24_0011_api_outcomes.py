"""api outcomes: what came of requests that make no job, by their Idempotency-Key."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Take the step."""
    with op.batch_alter_table("api_request") as table:
        table.add_column(sa.Column("outcomes", JSON, nullable=True))
        table.alter_column("job_id", existing_type=ID, nullable=True)


def downgrade() -> None:
    """Take the step back; requests without a job are forgotten."""
    op.execute("DELETE FROM api_request WHERE job_id IS NULL")
    with op.batch_alter_table("api_request") as table:
        table.alter_column("job_id", existing_type=ID, nullable=False)
        table.drop_column("outcomes")
