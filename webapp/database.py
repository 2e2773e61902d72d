"""Transactions: who reads, who writes, and how SQLite is kept from stopping the house.

The driver of SQLite runs in autocommit with timeout 0, and transactions are opened here: readers
``BEGIN``, writers ``BEGIN IMMEDIATE``. The wait for the write lock is ours, in short sleeps, because
SQLite's own wait holds the whole process (measured: 10 s of frozen pages against 8 ms).
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import has_request_context
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from config import Settings
from webapp.extensions import db, settings

BUSY_PAUSE_SECONDS = 0.005
BUSY_LIMIT_SECONDS = 5.0
SERVE_A_PAGE = "SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off; SET LOCAL plan_cache_mode = force_custom_plan"
WRITE_OPTION = "stockroom_write"
CACHE_KIB, LARGE_CACHE_KIB = 16_000, 64_000
LOG_PAGES = 20_000  # 80 MB


def engine_options(settings: Settings) -> dict[str, Any]:
    """Return the keyword arguments of ``create_engine`` for the database of these settings."""
    if settings.is_sqlite:
        return {
            "connect_args": {"timeout": 0, "isolation_level": None, "check_same_thread": False},
            "pool_size": 20,
            "pool_use_lifo": True,  # a thread gets back the connection that has its pages in memory
            "max_overflow": 20,
        }
    return {
        "pool_size": 10,
        "max_overflow": 20,
        "pool_pre_ping": True,
        "connect_args": {"connect_timeout": 5},
    }


def build_engine(settings: Settings) -> Engine:
    """Return an engine of its own, for what needs a connection outside the session's pool."""
    engine = create_engine(settings.sqlalchemy_url, **engine_options(settings))
    listen_to_engine(engine)
    return engine


def listen_to_engine(engine: Engine) -> None:
    """Make an engine follow the house's rules."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)


def _begin_postgresql(connection: Connection) -> None:
    """Keep what a page asks from helpers that take longer to begin than it may last, and from plans for any value.

    Parallel workers cost ten milliseconds to start, compiled expressions up to a hundred and fifty (measured: what
    has not moved for ten months in 30 ms instead of 57). The plan of a search hangs on its text (measured: the twelfth
    took 2 s by a general one, and 20 ms otherwise). For the transaction alone: a pooler may lend the connection.
    """
    if not has_request_context():
        return
    driver: Any = connection.connection.dbapi_connection
    with driver_errors_translated(connection, SERVE_A_PAGE):
        driver.execute(SERVE_A_PAGE)


@contextmanager
def driver_errors_translated(connection: Connection, statement: str) -> Iterator[None]:
    """Raise SQLAlchemy's error, which callers know, for one of the driver that the block talks to by itself."""
    base: Any = connection.dialect.loaded_dbapi.Error
    try:
        yield
    except base as error:
        raise DBAPIError.instance(statement, None, error, base, dialect=connection.dialect) from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    # An import comes back to the same pages again and again: let them be copied from the log less often (measured:
    # 50,000 sales on top of 360,000 in 9.4 to 11.2 s instead of 12.8 with 4,000 pages, a demo in 0.6 of the time). Only
    # the one whose commit finds the log that long waits for the copying: 0.12 s.
    connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
    _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))


def _begin_sqlite(connection: Connection) -> None:
    driver: Any = connection.connection.dbapi_connection
    statement = "BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITE_OPTION) else "BEGIN"
    try:
        _patiently(lambda: driver.execute(statement))
    except sqlite3.OperationalError as error:
        raise OperationalError(statement, None, error) from error


def _patiently(attempt: Callable[[], object]) -> None:
    """Try again while another connection holds the lock. ``time.sleep`` is green in the web process."""
    deadline = time.monotonic() + BUSY_LIMIT_SECONDS
    while True:
        try:
            attempt()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(BUSY_PAUSE_SECONDS)
        else:
            return


@contextmanager
def write_transaction() -> Iterator[Session]:
    """Run the block in one write transaction of the current session, committed at its end.

    Whatever was read before is read again when it is next used, because others may have changed it.
    A block inside another one belongs to the outer transaction. Nothing may yield inside: no emit,
    no HTTP, no sleep.
    """
    session: Session = db.session()
    if session.info.get("writing"):
        yield session
        return
    session.rollback()  # ends the read transaction, if one is open
    session.expire_all()
    session.info["writing"] = True
    try:
        _let_go_when_frozen(session.connection(execution_options={WRITE_OPTION: True}))
        yield session
        session.flush()
        while actions := session.info.pop("before_commit", []):  # what they ask for comes after them
            for action in actions:
                action(session)
        session.commit()
        committed = session.info.pop("after_commit", [])
    except BaseException:
        session.rollback()
        raise
    finally:
        for leftover in ("writing", "before_commit", "after_commit", "events", "levels"):
            session.info.pop(leftover, None)
    for after in committed:
        after()


def give_way() -> None:
    """Let others have their turn between two of many transactions.

    In web that is any green thread. On SQLite it is also who waits for the write lock, which looks for it every few
    milliseconds and would never find it free (measured: 1.6 s behind batches of a tenth of a second).
    """
    time.sleep(2 * BUSY_PAUSE_SECONDS if db.engine.dialect.name == "sqlite" else 0)


@contextmanager
def large_cache() -> Iterator[None]:
    """Let the session's connection hold more pages while the block writes all over the tables.

    Only speed hangs on it: indexes are written at random places (measured: a quarter of the time of sales).
    """
    _resize_cache(LARGE_CACHE_KIB)
    try:
        yield
    finally:
        _resize_cache(CACHE_KIB)


def _resize_cache(kib: int) -> None:
    if db.engine.dialect.name == "sqlite":
        session: Session = db.session()
        session.rollback()
        session.connection().exec_driver_sql(f"PRAGMA cache_size = -{kib}")
        session.rollback()


def _let_go_when_frozen(connection: Connection) -> None:
    """Have PostgreSQL end this transaction when its process does not run, so that its locks go away.

    A write transaction is never idle by itself; an export's snapshot may be, and holds no lock. Set
    here and not with the connection, which a pooler between may share with others.
    """
    if connection.dialect.name == "postgresql":
        limit = int(settings().frozen_seconds * 1000)
        connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {limit}")


def before_commit(session: Session, action: Callable[[Session], None]) -> None:
    """Call ``action(session)`` as the last thing inside this write transaction."""
    session.info.setdefault("before_commit", []).append(action)


def after_commit(session: Session, action: Callable[[], None]) -> None:
    """Call ``action()`` once this transaction is committed, and never when it is rolled back."""
    session.info.setdefault("after_commit", []).append(action)
