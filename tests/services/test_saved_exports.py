"""Saved exports: kept by their owner, run again, and run by themselves once for each of their hours."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from tasks import maintenance
from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop
from tests.support.houses import MakeApp, drain_queue, load_person
from tests.support.jobs import look_at
from webapp.database import write_transaction
from webapp.errors import Forbidden, Invalid, NotFound, Problem
from webapp.extensions import db
from webapp.models import SavedExport, TaskNotification, User
from webapp.models.base import utc_now
from webapp.services import jobs, saved_exports, scheduled_exports
from webapp.services.export_schedules import Repeat
from webapp.services.saved_exports import Draft

DAILY = Repeat("daily", 6)


def draft(name: str = "Low stock", **values: Any) -> Draft:
    """What somebody saves."""
    asked: dict[str, Any] = {
        "resource_name": "products",
        "file_format": "csv",
        "fields": ("title", "serial_number"),
        "filters": {"q": "cafe", "category": ""},
        "sort": "-title",
        "options": {"delimiter": "semicolon"},
    }
    return Draft(name, **(asked | values))


def make_due(saved: SavedExport, at: datetime) -> None:
    """Let the saved export's hour have come."""
    with write_transaction() as session:
        session.execute(update(SavedExport).where(SavedExport.id == saved.id).values(next_run_at=at))


def look(saved_id: int) -> SavedExport:
    """Return a saved export as it is stored now."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(SavedExport, saved_id)


def export_jobs() -> list[TaskNotification]:
    """Return all exports, oldest first."""
    db.session.rollback()
    db.session.expire_all()
    query = select(TaskNotification).where(TaskNotification.task_type == "export")
    return list(db.session.scalars(query.order_by(TaskNotification.id)))


@on_both_databases
def test_a_saved_export_runs_again_as_it_was_saved(session: Session, editor: User) -> None:
    fill_shop()
    saved_id = saved_exports.create_saved(editor, draft()).id
    job = saved_exports.run_saved(editor, saved_id, "pt_BR")
    drain_queue()
    ended = look_at(job.id)
    assert (ended.status, ended.record_count, ended.user_id) == ("completed", 1, editor.id)
    assert ended.params["fields"] == ["title", "serial_number"]
    assert (ended.params["filters"], ended.params["sort"]) == ({"q": "cafe"}, "-title")
    assert (ended.params["options"]["delimiter"], ended.params["language"]) == ("semicolon", "pt_BR")
    assert look(saved_id).last_task_id == ended.task_id


@on_both_databases
def test_it_is_changed_renamed_and_deleted_by_its_owner(session: Session, editor: User) -> None:
    saved_id = saved_exports.create_saved(editor, draft(repeat=DAILY)).id
    first = look(saved_id).next_run_at
    changed = draft(" Everything ", filters={}, file_format="json", options={}, repeat=Repeat("weekly", 7, 2))
    saved_exports.update_saved(editor, saved_id, changed)
    saved = look(saved_id)
    assert (saved.name, saved.file_format, saved.params["filters"]) == ("Everything", "json", {})
    assert saved.next_run_at is not None
    assert (saved.next_run_at.weekday(), saved.next_run_at.hour) == (2, 7)
    assert saved.next_run_at != first
    saved_exports.delete_saved(editor, saved_id)
    assert saved_exports.list_saved(editor) == []


def test_others_neither_see_nor_touch_it_and_administrators_only_look(
    session: Session, editor: User, stranger: User, admin: User
) -> None:
    saved_id = saved_exports.create_saved(editor, draft(repeat=DAILY)).id
    for deed in (saved_exports.run_saved, saved_exports.delete_saved, saved_exports.get_saved):
        with pytest.raises(NotFound):
            deed(stranger, saved_id)
    assert saved_exports.get_saved(admin, saved_id).id == saved_id
    assert [item.id for item in saved_exports.list_of_others(admin)] == [saved_id]
    for refused in (saved_exports.run_saved, saved_exports.delete_saved):
        with pytest.raises(Forbidden):
            refused(admin, saved_id)
    with pytest.raises(Forbidden):
        saved_exports.update_saved(admin, saved_id, draft())
    with pytest.raises(Forbidden):
        saved_exports.list_of_others(stranger)


@on_both_databases
def test_a_name_is_needed_and_is_the_owners_only_once(session: Session, editor: User, stranger: User) -> None:
    saved_id = saved_exports.create_saved(editor, draft("Café")).id
    for name, said in (("", "no name"), ("x" * 81, "longer than 80"), (" CAFÉ ", "already saved")):
        with pytest.raises(Invalid, match=said):
            saved_exports.create_saved(editor, draft(name))
    saved_exports.create_saved(stranger, draft("Café"))
    saved_exports.update_saved(editor, saved_id, draft("café"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"resource_name": "planets"}, "no resource"),
        ({"file_format": "doc"}, "no format"),
        ({"fields": ("colour",)}, "no field"),
        ({"sort": "description"}, "cannot be sorted"),
        ({"filters": {"colour": "red"}}, "no field"),
        ({"options": {"delimiter": "pipe"}}, "not a choice"),
    ],
)
def test_what_cannot_be_exported_is_not_saved(
    session: Session, editor: User, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        saved_exports.create_saved(editor, draft(**wrong))
    assert saved_exports.list_saved(editor) == []


@pytest.mark.parametrize(
    "words",
    [
        ("yearly", "6", "0", "1"),
        ("daily", "24", "0", "1"),
        ("daily", "x", "0", "1"),
        ("monthly", "6", "0", "32"),
    ],
)
def test_a_time_that_is_none_is_refused(words: tuple[str, str, str, str]) -> None:
    with pytest.raises(Problem, match="not a time"):
        saved_exports.parse_repeat(*words)


def test_a_form_without_a_schedule_runs_by_hand() -> None:
    assert saved_exports.parse_repeat("").kind == "never"
    assert saved_exports.parse_repeat("weekly", "23", "6") == Repeat("weekly", 23, 6)


@on_both_databases
def test_its_hour_starts_it_once_and_names_the_next(session: Session, editor: User) -> None:
    fill_shop()
    saved = saved_exports.create_saved(editor, draft(repeat=DAILY))
    saved_id, now = saved.id, datetime(2026, 11, 24, 6, 0, 20, tzinfo=UTC)
    make_due(saved, now.replace(second=0))
    assert [scheduled_exports.run_due(now), scheduled_exports.run_due(now)] == [1, 0]
    drain_queue()
    [job] = export_jobs()
    assert (job.status, job.user_id, job.is_read) == ("completed", editor.id, False)
    assert jobs.count_unread(editor) == 1
    assert look(saved_id).next_run_at == datetime(2026, 11, 25, 6, tzinfo=UTC)
    assert look(saved_id).last_task_id == job.task_id


@on_both_databases
def test_after_a_long_sleep_only_the_newest_missed_run_is_made(session: Session, editor: User) -> None:
    saved = saved_exports.create_saved(editor, draft(repeat=DAILY))
    saved_id, now = saved.id, datetime(2026, 11, 24, 9, tzinfo=UTC)
    make_due(saved, now - timedelta(days=20))
    assert [scheduled_exports.run_due(now), scheduled_exports.run_due(now + timedelta(minutes=1))] == [1, 0]
    assert len(export_jobs()) == 1
    assert look(saved_id).next_run_at == datetime(2026, 11, 25, 6, tzinfo=UTC)


@on_both_databases
def test_many_consumers_start_it_once(app: Flask, session: Session, editor: User) -> None:
    saved = saved_exports.create_saved(editor, draft(repeat=DAILY))
    now = datetime(2026, 11, 24, 6, 1, tzinfo=UTC)
    make_due(saved, now)
    barrier, started = threading.Barrier(5), []

    def race() -> None:
        with app.app_context():
            barrier.wait()
            started.append(scheduled_exports.run_due(now))

    threads = [threading.Thread(target=race) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(started), len(export_jobs())) == ([0, 0, 0, 0, 1], 1)


def test_the_minutely_task_of_the_queue_starts_it(session: Session, editor: User) -> None:
    fill_shop()
    make_due(saved_exports.create_saved(editor, draft(repeat=DAILY)), utc_now() - timedelta(seconds=5))
    maintenance.keep_house.call_local()
    drain_queue()
    assert [job.status for job in export_jobs()] == ["completed"]


@pytest.mark.parametrize(("zone", "hour"), [("America/Sao_Paulo", 9), ("Asia/Tokyo", 21)])
def test_its_hour_is_that_of_the_house(make_app: MakeApp, zone: str, hour: int) -> None:
    with make_app(APP_TIMEZONE=zone).app_context():
        found = saved_exports.find_next_run(DAILY, datetime(2026, 11, 23, 23, tzinfo=UTC))
        assert found is not None
        assert found.hour == hour


@on_both_databases
def test_the_exports_of_a_disabled_owner_stop_with_a_note(session: Session, editor: User) -> None:
    saved = saved_exports.create_saved(editor, draft(repeat=DAILY))
    saved_id, now = saved.id, datetime(2026, 11, 24, 6, 1, tzinfo=UTC)
    make_due(saved, now)
    with write_transaction() as session_:
        session_.execute(update(User).where(User.id == editor.id).values(is_enabled=False))
    assert scheduled_exports.run_due(now) == 0
    stopped = look(saved_id)
    assert (stopped.next_run_at, export_jobs()) == (None, [])
    assert "disabled" in (stopped.note or {})["message"]
    saved_exports.update_saved(editor, saved_id, draft(repeat=DAILY))
    assert (look(saved_id).note, look(saved_id).next_run_at is None) == (None, False)


@on_both_databases
def test_the_exports_of_an_owner_without_the_right_stop_with_a_note(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = saved_exports.create_saved(editor, draft(repeat=DAILY))
    saved_id, now = saved.id, datetime(2026, 11, 24, 6, 1, tzinfo=UTC)
    make_due(saved, now)
    # Every role may export today; a house in which editors may not shows what happens then.
    monkeypatch.setattr(scheduled_exports, "NEEDED_ROLE", "admin")
    assert scheduled_exports.run_due(now) == 0
    assert "may not export" in (look(saved_id).note or {})["message"]
    assert export_jobs() == []


@on_both_databases
def test_a_run_that_cannot_start_is_told_and_the_next_one_stays(make_app: MakeApp) -> None:
    app = make_app(PDF_MAX_ROWS="1")
    with app.app_context():
        fill_shop()
        editor = load_person(app, "editor")
        asked = draft(file_format="pdf", options={}, filters={}, repeat=DAILY)
        saved = saved_exports.create_saved(editor, asked)
        saved_id, now = saved.id, datetime(2026, 11, 24, 6, 1, tzinfo=UTC)
        make_due(saved, now)
        assert scheduled_exports.run_due(now) == 0
        [job] = export_jobs()
        assert (job.status, job.user_id, jobs.count_unread(editor)) == ("failed", editor.id, 1)
        assert "up to 1 rows" in (job.error_message or "")
        assert "%(limit)s" in (look(saved_id).note or {})["message"]
        assert look(saved_id).next_run_at == datetime(2026, 11, 25, 6, tzinfo=UTC)


@on_both_databases
def test_one_that_cannot_be_read_does_not_keep_the_others_from_their_hour(
    session: Session, editor: User
) -> None:
    now = datetime(2026, 11, 24, 6, 1, tzinfo=UTC)
    broken = saved_exports.create_saved(editor, draft("Broken", repeat=DAILY))
    with write_transaction() as session_:
        old = {"fields": ["colour"], "filters": {}, "sort": "", "options": {}}
        session_.execute(
            update(SavedExport).where(SavedExport.id == broken.id).values(params=old, next_run_at=now)
        )
    make_due(saved_exports.create_saved(editor, draft("Fine", repeat=DAILY)), now)
    assert scheduled_exports.run_due(now) == 1
    drain_queue()
    assert sorted(job.status for job in export_jobs()) == ["completed", "failed"]


def test_a_deleted_ones_slots_do_not_hold_up_a_new_one(session: Session, editor: User) -> None:
    now, started = datetime(2026, 11, 24, 6, 1, tzinfo=UTC), 0
    for _ in range(2):
        saved = saved_exports.create_saved(editor, draft(repeat=DAILY))
        saved_id = saved.id
        make_due(saved, now)
        started += scheduled_exports.run_due(now)
        saved_exports.delete_saved(editor, saved_id)
        drain_queue()
    assert started == 2
    assert db.session.scalar(select(func.count()).select_from(SavedExport)) == 0
