"""moments in order: what happened at one moment, as a million openings may have, is in the order of ids, too."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ORDERS = tuple((table, (*first, "occurred_at")) for table in ("inflow", "outflow") for first in ((), ("kind",)))


def upgrade() -> None:
    """Take the step."""
    for table, columns in ORDERS:
        name = f"ix_{table}_{'_'.join(columns)}"
        op.create_index(f"{name}_id", table, [*columns, "id"])
        op.drop_index(name, table_name=table)


def downgrade() -> None:
    """Take the step back."""
    for table, columns in ORDERS:
        name = f"ix_{table}_{'_'.join(columns)}"
        op.create_index(name, table, list(columns))
        op.drop_index(f"{name}_id", table_name=table)
