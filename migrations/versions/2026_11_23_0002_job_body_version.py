"""job body version and cause."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    # No batch: it would copy a table that may have a million rows, and both databases can add a column.
    op.add_column('task_notification', sa.Column('body_version', sa.Integer(), server_default='1', nullable=False))
    op.create_index(
        'ix_task_notification_cause',
        'task_notification',
        ['error_fingerprint', 'id'],
        sqlite_where=sa.text("status = 'failed'"),
        postgresql_where=sa.text("status = 'failed'"),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index('ix_task_notification_cause', table_name='task_notification')
    op.drop_column('task_notification', 'body_version')
