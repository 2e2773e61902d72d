"""What is written for COPY and for arrays comes back from PostgreSQL as it was."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from webapp.extensions import db
from webapp.services.postgres_text import write_array, write_lines

WITH_POSTGRESQL = pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.integration)], indirect=True
)
TEXTS = st.text(st.sampled_from("aé€😀\u2028\x85 \"\\\n\r\t\b\v,{}.Nn'"), max_size=9)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - limits
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=4)
ROWS = st.lists(
    st.tuples(
        st.none() | TEXTS,
        TEXTS,
        st.integers(-(2**63), 2**63 - 1),
        st.none() | st.booleans(),
        AMOUNTS | st.just(Decimal("1E+3")),
        st.none() | MOMENTS,
    ),
    min_size=1,
    max_size=8,
)
TYPES = ("text", "text", "bigint", "boolean", "numeric", "timestamptz")


def copy(columns: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    driver: Any = db.session.connection().connection.driver_connection
    with driver.cursor() as cursor:
        cursor.execute("TRUNCATE copied")
        with cursor.copy("COPY copied FROM STDIN") as copying:
            copying.write(write_lines(columns))
        cursor.execute("SELECT * FROM copied ORDER BY place")
        return [row[1:] for row in cursor.fetchall()]


def unnest(columns: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    driver: Any = db.session.connection().connection.driver_connection
    arrays = ", ".join(f"%s::{kind}[]" for kind in ("int", *TYPES))
    with driver.cursor() as cursor:
        cursor.execute(f"SELECT * FROM unnest({arrays})", [write_array(values) for values in columns])  # noqa: S608
        return [row[1:] for row in cursor.fetchall()]


@pytest.mark.parametrize("pass_through", [copy, unnest])
@WITH_POSTGRESQL
def test_every_value_comes_back(app: Flask, pass_through: Callable[[Any], Any]) -> None:
    @given(ROWS)
    def check(rows: list[tuple[Any, ...]]) -> None:
        numbered = [(place, *row) for place, row in enumerate(rows)]
        assert pass_through(list(zip(*numbered, strict=True))) == rows

    with app.app_context():
        columns = ", ".join(f"c{place} {kind}" for place, kind in enumerate(TYPES))
        db.session.execute(text("SET LOCAL TimeZone = 'UTC'"))
        db.session.execute(text(f"CREATE TEMPORARY TABLE copied (place int, {columns})"))
        check()
        db.session.rollback()


def test_no_value_is_an_empty_array() -> None:
    assert write_array([]) == "{}"


@pytest.mark.parametrize("write", [write_array, lambda values: write_lines([values])])
def test_a_type_that_nobody_thought_of_is_refused(write: Callable[[Any], Any]) -> None:
    with pytest.raises(KeyError):
        write([1.5])
