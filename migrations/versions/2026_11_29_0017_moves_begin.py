"""moves begin: on SQLite whoever inserts products begins their notes, many at once.

A trigger for inserts makes SQLite keep a journal of each row's statement (measured: twice the time of an import).
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER product_move_begin")


def downgrade() -> None:
    """Take the step back."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER product_move_begin AFTER INSERT ON product"
            " BEGIN INSERT INTO product_move (product_id) VALUES (new.id); END"
        )
