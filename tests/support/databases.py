"""The mark of tests that run on the embedded database and on PostgreSQL with Redis; what a block asks them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from webapp.extensions import db
from webapp.resources.registry import RESOURCES

POSTGRES = pytest.param("postgresql", marks=pytest.mark.integration)

on_both_databases = pytest.mark.parametrize("database", ["sqlite", POSTGRES], indirect=True)


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """Collect the statements of the block."""
    found: list[str] = []

    def count(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    event.listen(db.engine, "before_cursor_execute", count)
    yield found
    event.remove(db.engine, "before_cursor_execute", count)


def index_for_search(session: Session) -> None:
    """Catch up with rows that a test has put into SQLite's tables itself, past what writes for the application."""
    if session.get_bind().dialect.name == "sqlite":
        for resource in RESOURCES.values():
            name = f"{resource.model.__tablename__}_search"
            session.execute(text(f"INSERT INTO {name} ({name}) VALUES ('rebuild')"))  # noqa: S608 - our own tables
