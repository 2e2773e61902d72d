"""error problems: why a job failed, as it can be put into the language of whoever reads it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    kind = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("task_notification", sa.Column("error_problems", kind, nullable=True))


def downgrade() -> None:
    """Take the step back."""
    op.drop_column("task_notification", "error_problems")
