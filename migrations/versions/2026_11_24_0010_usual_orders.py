"""usual orders: what is narrowed to one category or kind comes out of an index in the usual order of its list."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# A list is narrowed to a kind, hardly ever sorted by it.
REPLACED = (
    ("inflow", ("kind", "id"), ("kind", "occurred_at")),
    ("outflow", ("kind", "id"), ("kind", "occurred_at")),
)


def upgrade() -> None:
    """Take the step. What is low has an index of its own since 0008, and the one of before serves nobody."""
    for table, old, new in REPLACED:
        op.create_index(f"ix_{table}_{'_'.join(new)}", table, list(new))
        op.drop_index(f"ix_{table}_{'_'.join(old)}", table_name=table)
    op.create_index("ix_product_category_id_title", "product", ["category_id", "title"])
    op.drop_index("ix_product_low_stock", table_name="product")


def downgrade() -> None:
    """Take the step back."""
    op.create_index("ix_product_low_stock", "product", ["quantity", "reorder_level"])
    op.drop_index("ix_product_category_id_title", table_name="product")
    for table, old, new in REPLACED:
        op.create_index(f"ix_{table}_{'_'.join(old)}", table, list(old))
        op.drop_index(f"ix_{table}_{'_'.join(new)}", table_name=table)
