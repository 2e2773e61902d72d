"""search marks: PostgreSQL's indexes of searches hold the text with a mark where each word begins.

To them a word also begins after a hyphen: four of five million references had "2" where a word begins, and none where
one of ours does (measured: 2 s to find that out, and now nothing). It is a capital letter, which no folded text has.
Of the first word it is asked for together with the others, and not in a second search through the same list.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

SEARCHED = ("category", "brand", "product_model", "supplier", "product", "inflow", "outflow")


def upgrade() -> None:
    """Take the step."""
    _index("replace(' ' || search_text, ' ', ' Q')")


def downgrade() -> None:
    """Take the step back."""
    _index("search_text")


def _index(text: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    for table in SEARCHED:
        op.execute(f"DROP INDEX ix_{table}_search_text")
        op.execute(f"CREATE INDEX ix_{table}_search_text ON {table} USING gin ({text} gin_trgm_ops)")
        op.execute(f"ANALYZE {table}")  # of an expression, too, the planner wants figures
