"""The mark of tests that run on the embedded database and on PostgreSQL with Redis; what a block asks them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from webapp.extensions import db

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
