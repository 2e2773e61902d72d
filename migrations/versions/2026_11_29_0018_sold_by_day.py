"""sold by day: a product's page adds its outflows up in an index alone, which takes the place of a narrower one."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NARROW = ["product_id", "occurred_at"]
WIDE = [*NARROW, "quantity", "kind"]


def upgrade() -> None:
    """Take the step."""
    _replace(NARROW, WIDE)


def downgrade() -> None:
    """Take the step back."""
    _replace(WIDE, NARROW)


def _replace(old: list[str], new: list[str]) -> None:
    op.create_index(f"ix_outflow_{'_'.join(new)}", "outflow", new)
    op.drop_index(f"ix_outflow_{'_'.join(old)}", table_name="outflow")
