"""The rows of an export: one query in one snapshot, streamed as plain tuples.

What SQLAlchemy does for each cell costs more than writing the file, so it only builds and runs the
query. Rows come from the driver, with amounts as it gives them quickest; the few other values that it
does not know are converted a column at a time.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import NullType

from webapp.extensions import db
from webapp.resources.base import Field, Resource
from webapp.resources.types import Money
from webapp.services.job_protocol import JobRun
from webapp.services.queries import RecordQuery, parse_sort, where_filters

Row = tuple[Any, ...]
PATIENCE_SECONDS = 0.5  # between two looks for a cancellation, while the database has no row yet


class exact_amount(GenericFunction[Any]):  # noqa: N801 - reads as the SQL function that it is
    """An amount as the database gives it quickest without loss: its text, or SQLite's ten-thousandths."""

    type = NullType()
    inherit_cache = True
    name = "exact_amount"


@compiles(exact_amount, "postgresql")
def _exact_amount_postgresql(element: exact_amount, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(CAST({compiler.process(element.clauses, **options)} AS NUMERIC(19, 4)) AS TEXT)"


@compiles(exact_amount, "sqlite")
def _exact_amount_sqlite(element: exact_amount, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@contextmanager
def open_snapshot(cache_kib: int = 2_000) -> Iterator[Connection]:
    """Give a connection whose one transaction sees the same moment from its first query to its end.

    SQLite, where every read transaction does, keeps ``cache_kib`` of its file in memory.
    """
    with db.engine.connect() as connection:
        use = _use_sqlite(connection, cache_kib) if connection.dialect.name == "sqlite" else None
        with use or _use_postgresql(connection):
            yield connection


@contextmanager
def _use_sqlite(connection: Connection, cache_kib: int) -> Iterator[None]:
    driver: Any = connection.connection.dbapi_connection
    (usual,) = driver.execute("PRAGMA cache_size").fetchone()
    driver.execute(f"PRAGMA cache_size = {-cache_kib}")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA cache_size = {usual}")
        driver.execute("PRAGMA shrink_memory")  # an idle connection needs no cache


@contextmanager
def _use_postgresql(connection: Connection) -> Iterator[None]:
    from webapp.services.stream_cursor import StreamCursor  # noqa: PLC0415 - needs PostgreSQL's driver

    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    driver: Any = connection.connection.dbapi_connection
    usual, driver.cursor_factory = driver.cursor_factory, StreamCursor
    try:
        yield
    finally:
        driver.cursor_factory = usual


def build_query(
    resource: Resource, fields: Sequence[Field], filters: dict[str, str], sort: str
) -> tuple[Select[Any], Select[Any]]:
    """Return the query of the rows, in an order that leaves nothing to chance, and that of their number."""
    query = RecordQuery(resource)
    conditions = where_filters(resource, query, filters)
    field, downwards = parse_sort(resource, sort)
    order, tie = _order(field, query.order(field)), resource.model.id
    cells = [_cell(field, query.column(field)) for field in fields]
    rows = query.select(fields).with_only_columns(*cells).where(*conditions)
    rows = rows.order_by(order.desc(), tie.desc()) if downwards else rows.order_by(order, tie)
    return rows, _build_count(resource, filters)


def _build_count(resource: Resource, filters: dict[str, str]) -> Select[Any]:
    """Return a query that joins no more than the filters need."""
    query = RecordQuery(resource)
    conditions = where_filters(resource, query, filters)
    return query.select(()).where(*conditions).with_only_columns(func.count(), maintain_column_froms=True)


def _cell(field: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return (exact_amount(column) if isinstance(field.type, Money) else column).label(field.name)


def _order(field: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Order what is missing like an empty text, as lists do; the databases would put it at different ends."""
    is_missing_text = not field.required and column.type.python_type is str
    return func.coalesce(column, "") if is_missing_text else column


def count_rows(connection: Connection, query: Select[Any], run: JobRun) -> int:
    """Return how many rows there are to come."""
    return int(_await(lambda: connection.scalar(query), connection, run) or 0)


def stream_rows(
    connection: Connection, query: Select[Any], run: JobRun, rows_at_once: int
) -> Generator[list[Row]]:
    """Yield the rows in batches, telling the progress in between; stops when the job is stopped."""
    result = _await(lambda: connection.execute(query), connection, run)
    if not result.returns_rows:  # without a row PostgreSQL's driver tells of no columns either
        return
    cursor = result.cursor
    convert = _build_converter(connection, query)
    done = 0
    try:
        while rows := _fetch(connection, cursor, rows_at_once):
            run.raise_if_stopped()
            yield convert(rows)
            done += len(rows)
            run.report(done)
    finally:
        cursor.close()


def _fetch(connection: Connection, cursor: Any, rows_at_once: int) -> list[Row]:
    """Return the next rows. A lost database is SQLAlchemy's error here as everywhere: the job is tried again."""
    lost = connection.dialect.loaded_dbapi.OperationalError
    try:
        rows: list[Row] = cursor.fetchmany(rows_at_once)
    except lost as error:
        raise OperationalError("FETCH", None, error) from error
    return rows


def _build_converter(connection: Connection, query: Select[Any]) -> Callable[[list[Row]], list[Row]]:
    """Return what turns a driver's rows into ours: nothing to do, but for moments."""
    dialect = connection.dialect
    makers = {
        index: maker
        for index, column in enumerate(query.selected_columns)
        if (maker := column.type.dialect_impl(dialect).result_processor(dialect, None))
    }

    def convert(rows: list[Row]) -> list[Row]:
        columns: list[Any] = list(zip(*rows, strict=True))
        for index, maker in makers.items():
            columns[index] = map(maker, columns[index])
        return list(zip(*columns, strict=True))

    return convert if makers else lambda rows: rows


def _await(call: Callable[[], Any], connection: Connection, run: JobRun) -> Any:
    """Run a query that may be long before its first row, and interrupt it when the job is stopped."""
    driver: Any = connection.connection.dbapi_connection
    with ThreadPoolExecutor(1, "export-query") as pool:
        waited = pool.submit(call)
        while not wait([waited], PATIENCE_SECONDS).done:
            try:
                run.report(0)
                run.raise_if_stopped()
            except BaseException:
                (driver.cancel if connection.dialect.name == "postgresql" else driver.interrupt)()
                raise
        return waited.result()
