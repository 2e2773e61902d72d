"""Transactions: who waits for whom, what happens before and after the commit, what a rollback forgets."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from config import Settings
from tests.support.databases import POSTGRES, on_both_databases
from webapp import database, live
from webapp.database import after_commit, before_commit, write_transaction
from webapp.extensions import db
from webapp.models import Brand, Event, Metric
from webapp.models.base import utc_now


def put(key: str, value: int) -> None:
    """Write a row of its own transaction."""
    with write_transaction() as session:
        session.merge(Metric(key=key, value={"n": value}, computed_at=utc_now()))


def stored() -> dict[str, int]:
    """Return what another reader sees."""
    with db.engine.connect() as connection:
        rows = connection.execute(select(Metric.key, Metric.value))
        return {row.key: row.value["n"] for row in rows}


@contextmanager
def heard_statements() -> Iterator[list[str]]:
    """Collect what the driver of SQLite is told, transactions included."""
    heard: list[str] = []

    def listen(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_trace_callback(heard.append)

    db.engine.dispose()
    event.listen(db.engine, "connect", listen)
    yield heard
    event.remove(db.engine, "connect", listen)
    db.session.remove()
    db.engine.dispose()


@pytest.mark.parametrize("database", [POSTGRES], indirect=True)
def test_what_a_page_asks_postgresql_starts_no_helpers_and_is_planned_for_its_values(app: Flask) -> None:
    def ask() -> list[str | None]:
        names = ("max_parallel_workers_per_gather", "jit", "plan_cache_mode")
        found = [db.session.scalar(text("SELECT current_setting(:name)"), {"name": name}) for name in names]
        db.session.rollback()
        return found

    with app.app_context():
        usual = ask()
        with app.test_request_context():
            assert ask() == ["0", "off", "force_custom_plan"]
        assert ask() == usual
    assert not {"0", "off", "force_custom_plan"} & set(usual)


@on_both_databases
def test_a_large_cache_lasts_as_long_as_the_block(app: Flask) -> None:
    def ask() -> int | None:
        if db.engine.dialect.name != "sqlite":
            return None
        size = db.session.scalar(text("PRAGMA cache_size"))
        db.session.rollback()
        return size

    with app.app_context():
        before = ask()
        with database.large_cache():
            put("inside", 1)
            inside = ask()
        assert (inside, ask()) == ((-64_000, before) if before else (None, None))


def test_a_reader_begins_and_a_writer_begins_immediately(session: Session) -> None:
    session.close()
    with heard_statements() as heard:
        db.session.scalar(select(Brand.id))
        assert "BEGIN" in heard
        assert "BEGIN IMMEDIATE" not in heard
        heard.clear()
        put("a", 1)
        begun = [statement for statement in heard if statement.startswith("BEGIN")]
        assert begun == ["BEGIN IMMEDIATE"]


def test_a_writer_waits_for_another_ones_lock_and_others_go_on_meanwhile(
    session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.close()
    naps: list[float] = []
    other = sqlite3.connect(settings.data_dir / "stockroom.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def nap(seconds: float) -> None:  # the wait is ours: in the web process other green threads run in it
        naps.append(seconds)
        if len(naps) == 3:
            other.execute("COMMIT")

    monkeypatch.setattr(time, "sleep", nap)
    put("a", 1)
    other.close()
    assert (naps, stored()) == ([database.BUSY_PAUSE_SECONDS] * 3, {"a": 1})


def test_a_lock_that_is_never_released_is_given_up(
    session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.close()
    monkeypatch.setattr(database, "BUSY_LIMIT_SECONDS", 0.05)
    other = sqlite3.connect(settings.data_dir / "stockroom.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError):
        put("a", 1)
    other.close()
    put("a", 2)
    assert stored() == {"a": 2}


def test_readers_do_not_wait_for_a_writer(app: Flask, session: Session) -> None:
    put("a", 1)
    with write_transaction() as writing:
        writing.execute(text("DELETE FROM metric"))
        assert stored() == {"a": 1}
    assert stored() == {}


@on_both_databases
def test_many_writers_at_once_lose_nothing(app: Flask, session: Session) -> None:
    put("a", 0)
    session.close()

    def add() -> None:
        with app.app_context():
            for _ in range(5):
                with write_transaction() as writing:
                    metric = writing.scalars(select(Metric).with_for_update()).one()
                    metric.value = {"n": metric.value["n"] + 1}

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored() == {"a": 20}


@on_both_databases
def test_a_transaction_inside_another_belongs_to_the_outer_one(session: Session) -> None:
    with pytest.raises(RuntimeError), write_transaction():
        put("a", 1)
        assert stored() == {}
        raise RuntimeError
    assert stored() == {}
    with write_transaction():
        put("a", 1)
    assert stored() == {"a": 1}


@on_both_databases
def test_what_was_read_before_is_read_again_inside(session: Session) -> None:
    put("a", 1)
    metric = session.get_one(Metric, "a")
    with db.engine.connect() as other:
        other.execute(update(Metric).values(value={"n": 2}))
        other.commit()
    assert metric.value == {"n": 1}
    with write_transaction():
        assert metric.value == {"n": 2}


@on_both_databases
def test_before_commit_is_the_last_inside_and_after_commit_the_first_outside(session: Session) -> None:
    seen: list[tuple[str, dict[str, int]]] = []
    with write_transaction() as writing:
        before_commit(writing, lambda _: seen.append(("before", stored())))
        after_commit(writing, lambda: seen.append(("after", stored())))
        put("a", 1)
        assert seen == []
    assert seen == [("before", {}), ("after", {"a": 1})]


@on_both_databases
def test_a_rollback_forgets_what_was_to_follow_and_the_events(session: Session) -> None:
    seen: list[str] = []
    with pytest.raises(RuntimeError), write_transaction() as writing:
        before_commit(writing, lambda _: seen.append("before"))
        after_commit(writing, lambda: seen.append("after"))
        live.publish(writing, live.EVERYONE, live.METRICS_UPDATED, {})
        raise RuntimeError
    put("a", 1)
    assert seen == []
    assert session.scalars(select(Event)).all() == []


@on_both_databases
def test_after_commit_may_write_by_itself(session: Session) -> None:
    with write_transaction() as writing:
        after_commit(writing, lambda: put("b", 2))
        put("a", 1)
    assert stored() == {"a": 1, "b": 2}


def test_foreign_keys_hold_on_sqlite_too(session: Session) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"), write_transaction() as writing:
        writing.execute(
            text(
                "INSERT INTO product_model (brand_id, name, name_key, version, created_at, updated_at, search_text)"
                " VALUES (99, 'X', 'x', 1, '2026-01-01', '2026-01-01', '')"
            )
        )


def test_the_embedded_database_writes_ahead(session: Session, settings: Settings) -> None:
    assert session.scalar(text("PRAGMA journal_mode")) == "wal"
    assert Path(settings.data_dir, "stockroom.db").exists()
