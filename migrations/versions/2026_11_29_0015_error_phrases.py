"""error phrases: why a job or a try failed, as texts that can be translated, beside the English sentence."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
TABLES = ("task_notification", "job_attempt")


def upgrade() -> None:
    """Take the step."""
    for name in TABLES:
        op.add_column(name, sa.Column("error_phrases", JSON, nullable=True))


def downgrade() -> None:
    """Take the step back; sentences are English from then on."""
    for name in TABLES:
        op.drop_column(name, "error_phrases")
