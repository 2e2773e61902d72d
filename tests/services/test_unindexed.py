"""A column kept from its index: a plus sign on SQLite, nothing elsewhere, and the plan that follows from it."""

from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from webapp.extensions import db
from webapp.models import Outflow
from webapp.services.unindexed import unindexed


def test_only_sqlite_needs_the_sign() -> None:
    statement = select(Outflow.id).where(unindexed(Outflow.kind) == "sale")
    assert "WHERE +outflow.kind = " in str(statement.compile(dialect=sqlite.dialect()))
    assert "WHERE outflow.kind = " in str(statement.compile(dialect=postgresql.dialect()))


def test_the_planner_passes_by_the_index_of_the_column(app: Flask) -> None:
    def plan(column: Any) -> str:
        statement = select(Outflow.quantity).where(column == "sale")
        sql = statement.compile(db.engine, compile_kwargs={"literal_binds": True})
        return " ".join(
            row[3] for row in db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")
        )

    with app.app_context():
        assert "ix_outflow_kind" in plan(Outflow.kind)
        assert "ix_outflow_kind" not in plan(unindexed(Outflow.kind))
