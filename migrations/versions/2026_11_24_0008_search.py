"""search: trigram indexes on what is searched, and an index for each order of a list."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SEARCHED = ("category", "brand", "product_model", "supplier", "product", "inflow", "outflow")

# Equal values are ordered by id, so it belongs to the index: a page deep among equals costs what the first one does.
ORDERS = (
    ("product", ("cost_price", "id")),
    ("product", ("sell_price", "id")),
    ("product", ("reorder_level", "id")),
    ("product", ("quantity", "id")),
    ("inflow", ("supplier_id", "id")),
    ("inflow", ("quantity", "id")),
    ("inflow", ("unit_cost", "id")),
    ("inflow", ("kind", "id")),
    ("outflow", ("quantity", "id")),
    ("outflow", ("unit_price", "id")),
    ("outflow", ("unit_cost", "id")),
    ("outflow", ("kind", "id")),
)
# Those of references get the id, too.
REPLACED = (("product", "category_id"), ("product", "product_model_id"))

LOW = {f"{dialect}_where": sa.text("quantity <= reorder_level") for dialect in ("sqlite", "postgresql")}


def upgrade() -> None:
    """Take the step."""
    for table, column in REPLACED:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
        op.create_index(f"ix_{table}_{column}_id", table, [column, "id"])
    for table, columns in ORDERS:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
    op.create_index("ix_product_low_title_id", "product", ["title", "id"], **LOW)
    create = _create_fts if op.get_bind().dialect.name == "sqlite" else _create_trigrams
    create()


def _create_trigrams() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for table in SEARCHED:
        op.execute(f"CREATE INDEX ix_{table}_search_text ON {table} USING gin (search_text gin_trgm_ops)")


def _create_fts() -> None:
    """An index without a copy of the text. New rows are put into it many at a time by whoever inserts them.

    Words stand two spaces apart, so that three letters also tell where a word of one or two begins. A trigger
    for inserts would make FTS5 write out its buffer at every row (measured: 45 µs a product against 4).
    """
    for table in SEARCHED:
        op.execute(
            f"CREATE VIEW {table}_searched AS"
            f" SELECT id, '  ' || replace(search_text, ' ', '  ') AS search_text FROM {table}"
        )
        op.execute(
            f"CREATE VIRTUAL TABLE {table}_search USING fts5("
            f"search_text, content='{table}_searched', content_rowid='id',"
            " columnsize=0, detail=none, tokenize='trigram case_sensitive 1')"
        )
        op.execute(f"INSERT INTO {table}_search ({table}_search) VALUES ('rebuild')")
        leave = (
            f"INSERT INTO {table}_search ({table}_search, rowid, search_text)"
            " VALUES ('delete', old.id, '  ' || replace(old.search_text, ' ', '  '));"
        )
        enter = (
            f"INSERT INTO {table}_search (rowid, search_text)"
            " VALUES (new.id, '  ' || replace(new.search_text, ' ', '  '));"
        )
        op.execute(f"CREATE TRIGGER {table}_search_delete AFTER DELETE ON {table} BEGIN {leave} END")
        op.execute(
            f"CREATE TRIGGER {table}_search_update AFTER UPDATE OF search_text ON {table}"
            f" WHEN old.search_text IS NOT new.search_text BEGIN {leave} {enter} END"
        )


def downgrade() -> None:
    """Take the step back."""
    for table in SEARCHED:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {table}_search_update")
            op.execute(f"DROP TRIGGER {table}_search_delete")
            op.execute(f"DROP TABLE {table}_search")
            op.execute(f"DROP VIEW {table}_searched")
        else:
            op.execute(f"DROP INDEX ix_{table}_search_text")
    op.drop_index("ix_product_low_title_id", table_name="product")
    for table, columns in ORDERS:
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table_name=table)
    for table, column in REPLACED:
        op.drop_index(f"ix_{table}_{column}_id", table_name=table)
        op.create_index(f"ix_{table}_{column}", table, [column])
