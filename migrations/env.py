"""Alembic's environment: the application's own engine, and every model's table."""

from typing import Any, Literal

from alembic import context
from flask import current_app

from webapp import models  # noqa: F401 - naming the models fills the metadata
from webapp.database import WRITE_OPTION
from webapp.extensions import Base
from webapp.models.base import Json, Moment, Money

# A migration is history: it names plain types, not ours, which may change.
PLAIN_TYPES: dict[Any, str] = {
    Moment: "sa.DateTime(timezone=True)",
    Money: "sa.Numeric(19, 4).with_variant(sa.BigInteger(), 'sqlite')",
    type(Json): "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')",
}


def render_item(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """Write a type of ours as the plain one beneath it."""
    text = PLAIN_TYPES.get(type(item)) if kind == "type" else None
    if text and "postgresql" in text:
        autogen_context.imports.add("from sqlalchemy.dialects import postgresql")
    return text or False


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave out what only one database has, which no model declares: indexes of searches, the order of quantities."""
    if kind == "table" and name:
        return "_search" not in name and name != "product_quantity"
    return not (kind == "index" and name and name.endswith("_search_text"))


ONLY_ON_SQLITE = {
    ("index", "ix_product_quantity_id"),
    ("foreign_key_constraint", "fk_product_move_product_id"),
    ("foreign_key_constraint", "fk_change_actor_id"),
}


def include_object(_item: Any, name: str | None, kind: str, is_reflected: bool, _other: Any) -> bool:  # noqa: FBT001 - Alembic's
    """Leave out what only SQLite has, because it costs PostgreSQL too much."""
    is_sqlite = context.get_context().dialect.name == "sqlite"
    return is_sqlite or is_reflected or (kind, name) not in ONLY_ON_SQLITE


def run_migrations() -> None:
    """Migrate in one transaction; SQLite rebuilds a table where it cannot alter it."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect().execution_options(**{WRITE_OPTION: True}) as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
            include_name=include_name,
            include_object=include_object,
        )
        with context.begin_transaction():
            context.run_migrations()


run_migrations()
