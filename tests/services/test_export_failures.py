"""Exports that meet others' writes, a full disk, a lost database and a change of mind."""

import csv
import io
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from config import Settings
from tests.support.databases import POSTGRES, on_both_databases
from tests.support.factories import save
from tests.support.houses import load_person, sign_in
from tests.support.jobs import carry_out, change, look_at
from tests.support.pages import post
from tests.support.processes import children_of, on_this_machine
from tests.support.services import PostgresServer
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Brand, User
from webapp.models.clock import db_now
from webapp.pipeline.formats import FORMATS
from webapp.services import exports, files, jobs
from webapp.services.export_requests import request_export
from webapp.services.export_rows import stream_rows
from webapp.services.job_protocol import JobRun

pytestmark = pytest.mark.slow  # together they take longer than a commit should

BRANDS = 600


def make_brands(first: int, count: int, description: str) -> None:
    """Add brands, all in one transaction."""
    names = [f"brand {number:05}" for number in range(first, first + count)]
    with write_transaction() as session:
        session.execute(
            insert(Brand),
            [{"name": name, "name_key": name, "description": description} for name in names],
        )


def kept_files(settings: Settings) -> list[Path]:
    """Return the files of exports, whoever names them."""
    folder = settings.data_dir / "media" / "exports"
    return list(folder.iterdir()) if folder.exists() else []


@contextmanager
def beside(app: Flask, work: Callable[[], None]) -> Iterator[None]:
    """Do some work again and again in another thread, and see to it that it never failed."""
    done, errors = threading.Event(), []

    def go() -> None:
        with app.app_context():
            while not done.is_set():
                try:
                    work()
                except Exception as error:  # noqa: BLE001 - told below
                    errors.append(error)
                db.session.remove()
                time.sleep(0.002)

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    assert errors == []


@on_both_databases
def test_rows_written_meanwhile_are_in_the_file_wholly_or_not_at_all(
    session: Session, app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMATS, "csv", replace(FORMATS["csv"], batch_rows=20))
    make_brands(0, BRANDS, "0")
    generation = 0

    def write() -> None:
        nonlocal generation
        generation += 1
        with write_transaction() as writing:
            writing.execute(update(Brand).values(description=str(generation)))
            names = [f"{side} {generation}" for side in ("left", "right")]
            rows = [{"name": name, "name_key": name, "description": str(generation)} for name in names]
            writing.execute(insert(Brand), rows)

    seen = set()
    with beside(app, write):
        for _ in range(5):
            job_id = request_export(editor, "brands", "csv").id
            carry_out(job_id, exports.run_export)
            job = look_at(job_id)
            assert job.file_path, job.error_message
            with files.open_for_reading(job.file_path) as file:
                rows = list(csv.DictReader(io.StringIO(file.read().decode(), newline="")))
            (moment,) = {row["description"] for row in rows}
            assert job.record_count == len(rows) == BRANDS + 2 * int(moment)
            seen.add(moment)
    assert len(seen) > 1, "nothing was written meanwhile"


@pytest.fixture
def full_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the next files be on a disk that the kernel says is full; the answer makes room again."""
    place = settings.data_dir / "media" / "exports" / "full"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to("/dev/full")
    usual = files.new_path
    monkeypatch.setattr(files, "new_path", lambda *_: "exports/full")
    return lambda: monkeypatch.setattr(files, "new_path", usual)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("file_format", FORMATS)
def test_a_full_disk_is_said_in_a_sentence_and_leaves_nothing(
    session: Session, settings: Settings, editor: User, full_disk: Callable[[], None], file_format: str
) -> None:
    make_brands(0, 30, "x")
    job_id = request_export(editor, "brands", file_format).id
    carry_out(job_id, exports.run_export)
    job = look_at(job_id)
    assert (job.status, job.file_path, kept_files(settings)) == ("pending", None, [])
    assert job.error_message == "The disk is full. Free some space on the server and try again."
    full_disk()
    change(job_id, run_after=db_now(-1))
    carry_out(job_id, exports.run_export)
    assert (look_at(job_id).status, look_at(job_id).record_count) == ("completed", 30)


@pytest.mark.parametrize("database", [POSTGRES], indirect=True)
def test_a_lost_database_means_another_try(
    session: Session,
    settings: Settings,
    editor: User,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(FORMATS, "csv", replace(FORMATS["csv"], batch_rows=5))
    make_brands(0, 40_000, "x" * 500)  # more than the connection's buffers hold
    job_id = request_export(editor, "brands", "csv").id
    original = JobRun.raise_if_stopped
    lost: list[bool] = []

    def lose_database(run: JobRun) -> None:
        original(run)
        if not lost:
            lost.append(True)
            postgres.command(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )

    monkeypatch.setattr(JobRun, "raise_if_stopped", lose_database)
    carry_out(job_id, exports.run_export)
    job = look_at(job_id)
    assert lost
    assert (job.status, kept_files(settings)) == ("pending", [])
    assert job.error_message == "The database could not be reached or was too busy. Try again in a minute."
    change(job_id, run_after=db_now(-1))
    carry_out(job_id, exports.run_export)
    assert (look_at(job_id).status, look_at(job_id).record_count) == ("completed", 40_000)


@pytest.mark.slow
@pytest.mark.parametrize("file_format", FORMATS)
def test_a_cancellation_takes_effect_within_two_seconds_and_leaves_no_file(
    session: Session,
    app: Flask,
    settings: Settings,
    editor: User,
    file_format: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(FORMATS, file_format, replace(FORMATS[file_format], batch_rows=20))
    make_brands(0, 4_000, "x")
    job = request_export(editor, "brands", file_format)
    task_id = job.task_id
    cancelled_at: list[float] = []
    others = set(children_of(os.getpid()))

    def stream_slowly(*arguments: Any) -> Iterator[Any]:
        for batch in stream_rows(*arguments):
            time.sleep(0.05)
            yield batch

    def cancel() -> None:
        with app.app_context():
            jobs.cancel_job(editor, task_id)
            cancelled_at.append(time.monotonic())
            db.session.remove()

    monkeypatch.setattr(exports, "stream_rows", stream_slowly)
    timer = threading.Timer(2, cancel)
    timer.start()
    carry_out(job.id, exports.run_export)
    ended_at = time.monotonic()
    timer.join()
    assert look_at(job.id).status == "cancelled"
    assert ended_at - cancelled_at[0] < on_this_machine(2)
    assert kept_files(settings) == []
    assert set(children_of(os.getpid())) <= others


def test_a_sheet_that_is_too_small_is_refused_before_a_row_is_read(
    session: Session, settings: Settings, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.pipeline.write_xlsx.MAX_ROWS", 2)
    save("brands", *({"name": str(number)} for number in range(3)))
    job_id = request_export(editor, "brands", "xlsx").id
    carry_out(job_id, exports.run_export)
    job = look_at(job_id)
    assert (job.status, job.failure_kind, kept_files(settings)) == ("failed", "bad_input", [])
    assert "at most 2 rows" in (job.error_message or "")
    assert "choose CSV" in (job.error_message or "")


@pytest.mark.parametrize("database", [POSTGRES], indirect=True)
def test_a_file_larger_than_the_server_may_write_is_said_in_a_sentence(
    session: Session, settings: Settings, editor: User
) -> None:
    make_brands(0, BRANDS, "x" * 200)
    job_id = request_export(editor, "brands", "csv").id
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (BRANDS * 100, usual[1]))
    try:
        carry_out(job_id, exports.run_export)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    job = look_at(job_id)
    assert (job.status, job.file_path, kept_files(settings)) == ("pending", None, [])
    assert "may not write a file as large as this one" in (job.error_message or "")


def test_people_read_in_their_own_language_why_it_failed(
    app: Flask, session: Session, editor: User, client: FlaskClient, full_disk: Callable[[], None]
) -> None:
    sign_in(client, load_person(app, "editor"))
    make_brands(0, 3, "x" * 40_000)
    too_long, no_room = (request_export(editor, "brands", name) for name in ("xlsx", "csv"))
    paths = [f"/jobs/{job.task_id}" for job in (too_long, no_room)]
    carry_out(no_room.id, exports.run_export)
    full_disk()
    carry_out(too_long.id, exports.run_export)
    for language, said in {
        "en": ("a cell holds at most", "Free some space on the server"),
        "pt_BR": ("uma célula comporta no máximo", "O disco está cheio. Libere espaço no servidor"),
    }.items():
        post(client, "/settings/language", data={"language": language})
        for path, sentence in zip(paths, said, strict=True):
            assert sentence in client.get(path).text
