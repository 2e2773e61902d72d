"""imports: what was decided, corrected, taken back and kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
JSON = sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step. Columns are only added, so SQLite rebuilds no table."""
    op.add_column('data_import', sa.Column('overrides', JSON, nullable=False, server_default='{}'))
    op.add_column('data_import', sa.Column('undone_at', MOMENT, nullable=True))
    op.add_column('data_import', sa.Column('undone_to', ID, nullable=True))

    op.add_column('import_row_error', sa.Column('fixes', JSON, nullable=True))
    op.drop_index('ix_import_row_error_data_import_id', table_name='import_row_error')
    op.create_index(
        'ix_import_row_error_data_import_id_line', 'import_row_error', ['data_import_id', 'line']
    )

    op.create_table('import_job',
    sa.Column('job_id', ID, autoincrement=False, nullable=False),
    sa.Column('data_import_id', ID, nullable=False),
    sa.Column('after_change', ID, nullable=False),
    sa.ForeignKeyConstraint(
        ['data_import_id'], ['data_import.id'],
        name=op.f('fk_import_job_data_import_id'), ondelete='CASCADE',
    ),
    sa.PrimaryKeyConstraint('job_id', name=op.f('pk_import_job')),
    )
    op.create_index('ix_import_job_data_import_id', 'import_job', ['data_import_id'])
    # The imports of before this step can be taken back, too.
    op.execute(
        "INSERT INTO import_job (job_id, data_import_id, after_change) SELECT id, data_import_id, 0"
        " FROM task_notification WHERE task_type = 'import' AND data_import_id IS NOT NULL"
    )

    op.create_table('import_kept',
    sa.Column('id', ID, nullable=False),
    sa.Column('data_import_id', ID, nullable=False),
    sa.Column('resource', sa.String(length=50), nullable=False),
    sa.Column('record_id', ID, nullable=False),
    sa.Column('line', sa.Integer(), nullable=True),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('params', JSON, nullable=False),
    sa.ForeignKeyConstraint(
        ['data_import_id'], ['data_import.id'],
        name=op.f('fk_import_kept_data_import_id'), ondelete='CASCADE',
    ),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_kept')),
    sa.UniqueConstraint('data_import_id', 'resource', 'record_id', name=op.f('uq_import_kept_data_import_id_resource_record_id')),
    )
    op.create_index('ix_import_kept_resource_record_id', 'import_kept', ['resource', 'record_id'])

    op.create_table('import_profile',
    sa.Column('id', ID, nullable=False),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('resource', sa.String(length=50), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('mapping', JSON, nullable=False),
    sa.Column('options', JSON, nullable=False),
    sa.Column('style', JSON, nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('updated_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_import_profile_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_profile')),
    sa.UniqueConstraint('user_id', 'resource', 'name', name=op.f('uq_import_profile_user_id_resource_name')),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table('import_profile')
    op.drop_table('import_kept')
    op.drop_table('import_job')
    op.drop_index('ix_import_row_error_data_import_id_line', table_name='import_row_error')
    op.create_index('ix_import_row_error_data_import_id', 'import_row_error', ['data_import_id'])
    op.drop_column('import_row_error', 'fixes')
    op.drop_column('data_import', 'undone_to')
    op.drop_column('data_import', 'undone_at')
    op.drop_column('data_import', 'overrides')
