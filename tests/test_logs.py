"""What the processes log: its shape on standard output, and what the monitor gets to see of it."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.houses import MakeApp
from tests.support.jobs import ask, carry_out, event_names, failing, look_at
from tests.support.processes import on_this_machine
from webapp import live, logs
from webapp.database import write_transaction
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import JobLog, User
from webapp.models.base import utc_now
from webapp.services import job_logs, monitor, workers
from webapp.services.job_logs import StoreHandler
from webapp.services.job_protocol import owner_name

log = logging.getLogger("stockroom.test")


def a_record(message: str, *, with_error: bool = False) -> logging.LogRecord:
    """A line as a logger makes it."""
    error = None
    if with_error:
        try:
            int("a bug")
        except ValueError:
            error = sys.exc_info()
    return logging.LogRecord("shop", logging.WARNING, __file__, 1, message, ("x",), error)


def test_a_plain_line_tells_when_how_bad_who_and_of_which_job() -> None:
    with logs.of_job(7, "the-job"):
        line = logs.PlainFormatter().format(a_record("%s happened", with_error=True))
    first, *rest = line.splitlines()
    assert first.endswith(f"Z WARNING {logs.process_name()} shop [the-job]: x happened")
    assert rest[-1].startswith("ValueError: ")
    assert "[" not in logs.PlainFormatter().format(a_record("%s"))


def test_a_json_line_is_one_line_whatever_it_holds() -> None:
    with logs.of_job(7, "the-job"):
        text = logs.JsonFormatter().format(a_record('two\nlines "%s"', with_error=True))
    line = json.loads(text)
    assert "\n" not in text
    assert (line["level"], line["logger"], line["job_id"]) == ("WARNING", "shop", "the-job")
    assert line["consumer"] == logs.process_name()
    assert line["message"] == 'two\nlines "x"'
    assert line["at"].endswith("+00:00")
    assert "ValueError: invalid literal" in line["exception"]
    assert json.loads(logs.JsonFormatter().format(a_record("%s")))["job_id"] is None


@pytest.fixture
def store(app: Flask, session: Session) -> Iterator[StoreHandler]:
    """A handler that keeps lines as a worker's does; the test stores them itself."""
    handler = StoreHandler(app, owner_name())
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


@on_both_databases
def test_lines_are_kept_with_their_job(session: Session, admin: User, store: StoreHandler) -> None:
    job_id = ask(admin)
    carry_out(job_id, failing(ValueError("a bug\x00")))
    log.warning("of no job")
    store._store()
    task_id = look_at(job_id).task_id
    page = monitor.list_logs(admin, task_id=task_id)
    assert [line.level for line in page.lines] == ["INFO", "ERROR"]
    assert {line.task_id for line in page.lines} == {task_id}
    assert "ValueError: a bug" in page.lines[1].exception
    last = monitor.list_logs(admin).lines[-1]
    assert (last.message, last.task_id, last.consumer) == ("of no job", None, owner_name())


@on_both_databases
def test_the_tail_goes_on_from_both_ends_and_filters(
    session: Session, admin: User, store: StoreHandler
) -> None:
    for number in range(5):
        log.warning("line %s", number)
    log.error("100% wrong")
    store._store()
    newest = monitor.list_logs(admin, limit=2)
    assert [line.message for line in newest.lines] == ["line 4", "100% wrong"]
    assert newest.has_more
    before = monitor.list_logs(admin, before_id=newest.first_id, limit=2)
    assert [line.message for line in before.lines] == ["line 2", "line 3"]
    after = monitor.list_logs(admin, after_id=before.last_id)
    assert [line.message for line in after.lines] == ["line 4", "100% wrong"]
    assert monitor.list_logs(admin, after_id=after.last_id).lines == []
    assert [line.message for line in monitor.list_logs(admin, level="ERROR").lines] == ["100% wrong"]
    assert [line.message for line in monitor.list_logs(admin, text="100%").lines] == ["100% wrong"]
    with pytest.raises(NotFound):
        monitor.list_logs(admin, task_id="no such job")


@on_both_databases
def test_new_lines_are_announced_once_a_second_and_none_is_forgotten(
    session: Session, admin: User, store: StoreHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    for _ in range(3):
        log.warning("x")
        store._store()
    assert event_names().count(live.LOGS_ADDED) == 1
    clock[0] += 1.1
    store._store()  # nothing new, but two lines were not announced yet
    store._store()
    assert event_names().count(live.LOGS_ADDED) == 2


def test_a_full_store_drops_and_counts_and_never_waits(
    session: Session, admin: User, store: StoreHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers.beat()
    monkeypatch.setattr(job_logs, "QUEUE_LINES", 3)
    with write_transaction():  # the database is busy with somebody else's transaction
        begun = time.monotonic()
        for _ in range(10):
            log.warning("x")
        assert time.monotonic() - begun < on_this_machine(1)
    store._store()
    page = monitor.list_logs(admin)
    assert (len(page.lines), page.dropped) == (3, 7)


@on_both_databases
def test_a_line_of_a_deleted_job_spoils_no_other(session: Session, admin: User, store: StoreHandler) -> None:
    with logs.of_job(999_999, "gone"):
        log.warning("late")
    log.warning("other")
    store._store()
    assert [line.message for line in monitor.list_logs(admin).lines] == ["late", "other"]


def test_the_thread_stores_by_itself_and_the_rest_at_its_end(
    app: Flask, session: Session, admin: User
) -> None:
    handler = StoreHandler(app, "consumer")
    logging.getLogger().addHandler(handler)
    handler.start()
    log.warning("last words")
    logging.getLogger().removeHandler(handler)
    handler.stop()
    db.session.rollback()
    assert [line.message for line in monitor.list_logs(admin).lines] == ["last words"]


@on_both_databases
def test_storage_is_capped_by_age_and_by_number(session: Session, environment: dict[str, str]) -> None:
    now = utc_now()
    with write_transaction() as writing:
        for days in (9, 8, 1, 0):
            writing.add(JobLog(at=now - timedelta(days=days), level="INFO", message=str(days)))
            writing.flush()
    assert job_logs.prune_logs(now) == 2
    assert session.scalar(select(func.count()).select_from(JobLog)) == 2


def test_no_more_lines_are_kept_than_the_setting_says(make_app: object, admin: User) -> None:
    with make_app(LOG_KEEP_ROWS="2").app_context():  # type: ignore[operator]
        with write_transaction() as writing:
            writing.add_all(JobLog(level="INFO", message=str(number)) for number in range(5))
        assert job_logs.prune_logs(utc_now()) == 3
        assert [line.message for line in monitor.list_logs(admin).lines] == ["3", "4"]


def test_a_chatty_worker_sees_to_the_cap_by_itself(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_logs, "CAP_EVERY_LINES", 4)
    app = make_app(LOG_KEEP_ROWS="2")
    with app.app_context():
        handler = StoreHandler(app, "consumer")
        logging.getLogger().addHandler(handler)
        for number in range(6):
            log.warning("line %s", number)
            handler._store()
        logging.getLogger().removeHandler(handler)
        db.session.rollback()
        kept = list(db.session.scalars(select(JobLog.message).order_by(JobLog.id)))
    assert kept == ["line 2", "line 3", "line 4", "line 5"]  # capped after the fourth
