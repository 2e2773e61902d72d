"""audit: changes can only be added; a supplier's deliveries are found in the order of their days."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SENTENCE = 'Changes are only ever added.'


def upgrade() -> None:
    """Take the step. Triggers that fire on no INSERT cost an import nothing."""
    op.create_index('ix_inflow_supplier_id_occurred_at', 'inflow', ['supplier_id', 'occurred_at'])
    op.drop_index('ix_inflow_supplier_id', table_name='inflow')
    if op.get_bind().dialect.name == 'sqlite':
        for deed in ('update', 'delete'):
            op.execute(
                f'CREATE TRIGGER change_no_{deed} BEFORE {deed.upper()} ON "change" '
                f"BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
            )
        return
    op.execute(
        'CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS '
        f"$$ BEGIN RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        'CREATE TRIGGER change_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON change '
        'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()'
    )


def downgrade() -> None:
    """Take it back."""
    if op.get_bind().dialect.name == 'sqlite':
        for deed in ('update', 'delete'):
            op.execute(f'DROP TRIGGER change_no_{deed}')
    else:
        op.execute('DROP TRIGGER change_only_grows ON change')
        op.execute('DROP FUNCTION refuse_change()')
    op.create_index('ix_inflow_supplier_id', 'inflow', ['supplier_id'])
    op.drop_index('ix_inflow_supplier_id_occurred_at', table_name='inflow')
