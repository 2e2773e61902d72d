"""product moves: when each product was last moved, as far as it was noted, so that what stands still is found.

Noting costs whoever moves stock nothing: the clean-up does it later, and what is noted is never later than what is
true. What could make it so (a movement that is deleted, or gets another day or product) empties the note.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

MOVEMENTS = ("inflow", "outflow")
BEGIN = "BEGIN INSERT INTO product_move (product_id) SELECT id FROM added; RETURN NULL; END"
# The ids first: a planner knows nothing of how many rows a statement has touched.
FORGET = """
DECLARE moved BIGINT[] := ARRAY(SELECT DISTINCT before.product_id FROM before {});
BEGIN
    UPDATE product_move SET moved_at = NULL WHERE product_id = ANY(moved);
    RETURN NULL;
END
"""
CHANGED = (
    "JOIN later ON later.id = before.id"
    " WHERE (before.product_id, before.occurred_at) <> (later.product_id, later.occurred_at)"
)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "product_move",
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("product_id"),
    )
    op.execute("INSERT INTO product_move (product_id) SELECT id FROM product")
    op.create_index("ix_product_move_moved_at", "product_move", ["moved_at"])
    create = _create_for_rows if op.get_bind().dialect.name == "sqlite" else _create_for_statements
    create()


def _create_for_rows() -> None:
    op.execute(
        "CREATE TRIGGER product_move_begin AFTER INSERT ON product"
        " BEGIN INSERT INTO product_move (product_id) VALUES (new.id); END"
    )
    for table in MOVEMENTS:
        forget = "BEGIN UPDATE product_move SET moved_at = NULL WHERE product_id = old.product_id; END"
        op.execute(f"CREATE TRIGGER {table}_move_delete AFTER DELETE ON {table} {forget}")
        op.execute(
            f"CREATE TRIGGER {table}_move_update AFTER UPDATE OF product_id, occurred_at ON {table}"
            f" WHEN (old.product_id, old.occurred_at) <> (new.product_id, new.occurred_at) {forget}"
        )


def _create_for_statements() -> None:
    deeds = (("begin", BEGIN), ("delete", FORGET.format("")), ("update", FORGET.format(CHANGED)))
    for name, body in deeds:
        op.execute(
            f"CREATE FUNCTION product_move_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"
        )
    _listen("product_move_begin", "INSERT ON product REFERENCING NEW TABLE AS added", "begin")
    for table in MOVEMENTS:
        _listen(f"{table}_move_delete", f"DELETE ON {table} REFERENCING OLD TABLE AS before", "delete")
        both = "OLD TABLE AS before NEW TABLE AS later"
        _listen(f"{table}_move_update", f"UPDATE ON {table} REFERENCING {both}", "update")


def _listen(name: str, event: str, function: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} AFTER {event} FOR EACH STATEMENT EXECUTE FUNCTION product_move_{function}()"
    )


def downgrade() -> None:
    """Take the step back."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    triggers = [("product", "product_move_begin")]
    triggers += [(table, f"{table}_move_{deed}") for table in MOVEMENTS for deed in ("delete", "update")]
    for table, name in triggers:
        op.execute(f"DROP TRIGGER {name}" if is_sqlite else f"DROP TRIGGER {name} ON {table}")
    for deed in () if is_sqlite else ("begin", "delete", "update"):
        op.execute(f"DROP FUNCTION product_move_{deed}()")
    op.drop_table("product_move")
