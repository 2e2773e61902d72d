"""Many rows at once, in the way each database likes best, within the caller's write transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    SQLColumnExpression,
    String,
    Table,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from webapp.database import driver_errors_translated
from webapp.extensions import db
from webapp.services.postgres_text import write_array, write_lines

BLOCK_ROWS = 500  # of a COPY


def insert_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns, ids included; column defaults are not applied."""
    if rows:
        names = list(rows[0])
        insert_tuples(session, table, names, [tuple(row[name] for name in names) for row in rows])


def insert_tuples(
    session: Session,
    table: Table,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    *,
    ready: Sequence[str] = (),
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Insert rows of values in the order of ``names``; those in ``ready`` are as the driver takes them.

    ``meanwhile`` is called once, where there are rows: on PostgreSQL while the server works at them.

    COPY on PostgreSQL (measured: an executemany takes three times as long), one statement with many
    parameter sets on SQLite, past SQLAlchemy's work on every one of them (measured: half the time).
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        _copy(connection, table, names, _write_blocks(connection, table, names, rows, ready), meanwhile)
        return
    columns = _convert(connection, table, names, rows, ready)
    places = ", ".join("?" * len(names))
    statement = f"INSERT INTO {_name_target(connection, table, names)} VALUES ({places})"  # noqa: S608 - our names
    connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))
    if "search_text" in names:
        ids = orjson.dumps([row[names.index("id")] for row in rows]).decode()
        _index_for_search(connection, table.name, ids)
        if table.name == "product":  # PostgreSQL has a trigger for it, which here would double the time
            notes = "INSERT INTO product_move (product_id) SELECT value FROM json_each(?)"
            connection.exec_driver_sql(notes, (ids,))
    meanwhile()


def prepare_insert(
    session: Session,
    table: Table,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    *,
    ready: Sequence[str] = (),
) -> Callable[[], None]:
    """Do what can be done of ``insert_tuples`` before the server is free; return what does the rest."""
    connection = session.connection()
    if not rows or connection.dialect.name != "postgresql":
        return lambda: insert_tuples(session, table, names, rows, ready=ready)
    blocks = list(_write_blocks(connection, table, names, rows, ready))
    return lambda: _copy(connection, table, names, blocks, lambda: None)


def _name_target(connection: Connection, table: Table, names: Sequence[str]) -> str:
    quoted = connection.dialect.identifier_preparer
    return f"{quoted.format_table(table)} ({', '.join(map(quoted.quote, names))})"


def _index_for_search(connection: Connection, table: str, ids: str) -> None:
    """Put new rows into SQLite's index of searches: many at once, a trigger would take ten times as long."""
    connection.exec_driver_sql(
        f"INSERT INTO {table}_search (rowid, search_text) SELECT id, search_text FROM {table}_searched"  # noqa: S608
        " WHERE id IN (SELECT value FROM json_each(?))",
        (ids,),
    )


def _write_blocks(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    ready: Sequence[str],
) -> Iterator[str]:
    """Yield the text of some hundred rows at a time: the server works at them while the next ones are written."""
    for start in range(0, len(rows), BLOCK_ROWS):
        yield write_lines(_convert(connection, table, names, rows[start : start + BLOCK_ROWS], ready))


def _copy(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    blocks: Iterable[str],
    meanwhile: Callable[[], None],
) -> None:
    statement = f"COPY {_name_target(connection, table, names)} FROM STDIN"
    driver: Any = connection.connection.driver_connection
    with (
        driver_errors_translated(connection, statement),
        driver.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for block in blocks:
            copy.write(block)
        meanwhile()


def _convert(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    ready: Sequence[str],
) -> list[Sequence[Any]]:
    """Return the columns of rows as the driver takes them; equal values are converted once."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, name in enumerate(names):
        convert = table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        if convert and name not in ready:
            columns[place] = convert_values(convert, columns[place])
    return columns


def convert_values(convert: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    """Return the values of a column converted, equal ones once."""
    try:
        known = {value: convert(value) for value in set(values)}
    except TypeError:  # what cannot be hashed, such as JSON's dicts
        return [convert(value) for value in values]
    return [known[value] for value in values]


def update_tuples(
    session: Session, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]], now: datetime
) -> None:
    """Update records: each row is an id and the new values of ``names``; version and ``updated_at`` follow.

    One statement on PostgreSQL, which joins the rows; one with many parameter sets on SQLite.
    """
    if not rows:
        return
    connection = session.connection()
    dialect = connection.dialect
    target = dialect.identifier_preparer.format_table(table)
    quoted = [dialect.identifier_preparer.quote(name) for name in names]
    columns = _convert(connection, table, ["id", *names], rows, ())
    ((moment,),) = _convert(connection, table, ["updated_at"], [(now,)], ())
    follow = f"version = {target}.version + 1, updated_at ="
    if dialect.name != "postgresql":
        sets = "".join(f"{name} = ?, " for name in quoted)
        statement = f"UPDATE {target} SET {sets}{follow} ? WHERE id = ?"  # noqa: S608 - our own names
        moments = [moment] * len(rows)
        connection.exec_driver_sql(statement, list(zip(*columns[1:], moments, columns[0], strict=True)))
        return
    types = [table.c[name].type.compile(dialect) for name in ("id", *names)]
    arrays = ", ".join(f"%s::{one}[]" for one in types)
    sets = "".join(f"{name} = given.{name}, " for name in quoted)
    statement = (
        f"UPDATE {target} SET {sets}{follow} %s"  # noqa: S608 - our own names
        f" FROM unnest({arrays}) AS given(id, {', '.join(quoted)}) WHERE {target}.id = given.id"
    )
    connection.exec_driver_sql(statement, (moment, *map(write_array, columns)))


@dataclass(frozen=True)
class ValuesTable:
    """Values as a table that a query can join on a condition, with the parameters that carry them."""

    table: FromClause
    condition: ColumnElement[bool]
    parameters: dict[str, Any]


def join_values(
    session: Session, *columns: ColumnElement[Any], values: Sequence[tuple[Any, ...]]
) -> ValuesTable:
    """Return a table of tuples, to find the rows in which ``columns`` are equal to one of them.

    However many there are, the statement is the same and goes through an index on the columns. PostgreSQL must not
    see how many: for thousands it would read all of a table that has a hundred times as many, at every call (measured:
    50 ms instead of 11 for 5,000 of 100,000). Out of a query they count as ten.
    """
    names = [f"wanted{place}" for place in range(len(columns))]
    if session.get_bind().dialect.name == "postgresql":
        arrays = [
            select(cast(bindparam(name, type_=String), ARRAY(one.type))).scalar_subquery()
            for name, one in zip(names, columns, strict=True)
        ]
        wanted: Any = func.unnest(*arrays).table_valued(*names).render_derived("wanted")
        condition = and_(*(one == wanted.c[name] for name, one in zip(names, columns, strict=True)))
        lists = list(zip(*values, strict=True)) or [()] * len(names)
        return ValuesTable(wanted, condition, dict(zip(names, map(write_array, lists), strict=True)))
    wanted = func.json_each(bindparam("wanted", type_=String)).table_valued("value", name="wanted")
    parts = [func.json_extract(wanted.c.value, f"$[{place}]") for place in range(len(columns))]
    condition = and_(*(one == part for one, part in zip(columns, parts, strict=True)))
    return ValuesTable(wanted, condition, {"wanted": orjson.dumps(values).decode()})


def is_among(column: SQLColumnExpression[int], ids: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition that a column has one of these ids: one parameter, however many they are."""
    if db.engine.dialect.name == "postgresql":
        return column == any_(literal(list(ids), ARRAY(BigInteger)))
    wanted = func.json_each(orjson.dumps(list(ids)).decode()).table_valued("value")
    return column.in_(select(wanted.c.value))


def add_to_column(session: Session, table: Table, column: str, deltas: Mapping[int, int]) -> None:
    """Add to a column of whole numbers: ``deltas`` is ``{id: what to add}``."""
    ordered = sorted(deltas.items())
    if session.get_bind().dialect.name == "postgresql":
        ids, amounts = (bindparam(name, type_=ARRAY(BigInteger)) for name in ("ids", "amounts"))
        added = func.unnest(ids, amounts).table_valued("id", "amount").render_derived("added")
        statement = (
            update(table).values({column: table.c[column] + added.c.amount}).where(table.c.id == added.c.id)
        )
        session.execute(
            statement, {"ids": [item for item, _ in ordered], "amounts": [amount for _, amount in ordered]}
        )
    elif ordered:
        statement = update(table).values({column: table.c[column] + bindparam("amount")})
        statement = statement.where(table.c.id == bindparam("row_id"))
        session.execute(statement, [{"row_id": item, "amount": amount} for item, amount in ordered])
