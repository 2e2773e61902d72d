"""Exports: every format through the real job, filtered, sorted, and of one moment."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
from lxml import etree
from sqlalchemy import update
from sqlalchemy.orm import Session

from config import Settings
from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop, product, save, stock_up
from tests.support.houses import drain_queue
from tests.support.imports import bring_in, counts
from tests.support.jobs import carry_out, claim, look_at, lose_worker
from webapp.database import write_transaction
from webapp.errors import Invalid
from webapp.models import Product, TaskNotification, User
from webapp.pipeline.formats import FORMATS
from webapp.resources.registry import RESOURCES
from webapp.services import export_names, exports, files, jobs
from webapp.services.job_protocol import JobRun, LeaseLost

pytestmark = on_both_databases


def export(actor: User, resource: str, file_format: str = "csv", **options: Any) -> TaskNotification:
    """Ask for an export, let it be made, and return the ended job."""
    job = exports.request_export(actor, resource, file_format, **options)
    drain_queue()
    return look_at(job.id)


def read(job: TaskNotification) -> bytes:
    """Return the bytes of an export's file."""
    assert job.file_path, (job.status, job.error_message, job.traceback)
    with files.open_for_reading(job.file_path) as file:
        return file.read()


def read_csv(job: TaskNotification) -> list[dict[str, str]]:
    """Return the rows of an exported CSV."""
    return list(csv.DictReader(io.StringIO(read(job).decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_csv_of_any_resource_holds_its_declared_fields_in_order(
    session: Session, editor: User, resource: str
) -> None:
    fill_shop()
    job = export(editor, resource)
    header = read(job).decode().splitlines()[0]
    assert header.split(",") == [field.name for field in RESOURCES[resource].fields]
    assert (job.status, job.record_count) == ("completed", len(read_csv(job)))


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_is_made_through_the_job(session: Session, editor: User, file_format: str) -> None:
    fill_shop()
    job = export(editor, "products", file_format)
    data = read(job)
    assert (job.status, job.record_count, job.file_size) == ("completed", 3, len(data))
    assert job.sha256 == hashlib.sha256(data).hexdigest()
    assert export_names.download_name(job).endswith(f".{FORMATS[file_format].extension}")
    assert COUNTERS[file_format](data) == 3


def _count_json(data: bytes) -> int:
    found = json.loads(data)
    return len(found["records"] if isinstance(found, dict) else found)


def _count_xlsx(data: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return book.read("xl/worksheets/sheet1.xml").count(b"<row ") - 1


def _count_pdf(data: bytes) -> int:
    pages = pypdf.PdfReader(io.BytesIO(data)).pages
    text = "".join(page.extract_text() for page in pages)
    return sum(key in text for key in ("00123", "Café", "7891234567890"))


COUNTERS: dict[str, Callable[[bytes], int]] = {
    "csv": lambda data: len(list(csv.DictReader(io.StringIO(data.decode(), newline="")))),
    "json": _count_json,
    "ndjson": lambda data: len([json.loads(line) for line in data.splitlines()]),
    "xml": lambda data: len(etree.fromstring(data).findall(".//record")),
    "xlsx": _count_xlsx,
    "pdf": _count_pdf,
}


def test_a_formula_is_made_harmless(session: Session, editor: User) -> None:
    fill_shop()
    keys = [row["serial_number"] for row in read_csv(export(editor, "products"))]
    assert "=1+1" not in keys
    assert {"00123", "7891234567890"} < set(keys)


@pytest.mark.parametrize(
    ("filters", "keys"),
    [
        ({"q": "cafe"}, {"Café"}),
        ({"category": "TOYS"}, {"Café"}),
        ({"brand": "bolt"}, {'He said "no", twice'}),
        ({"low_stock": "1"}, {'He said "no", twice', "two\nlines"}),
        ({"quantity": "48"}, {"Café"}),
        ({"q": "nothing like it"}, set()),
        ({"q": ""}, {"Café", 'He said "no", twice', "two\nlines"}),
    ],
)
def test_an_export_holds_what_its_filters_leave(
    session: Session, editor: User, filters: dict[str, str], keys: set[str]
) -> None:
    fill_shop()
    job = export(editor, "products", filters=filters)
    assert {row["title"] for row in read_csv(job)} == keys
    assert job.record_count == len(keys)


def test_columns_come_in_the_order_that_was_asked_for(session: Session, editor: User) -> None:
    fill_shop()
    job = export(editor, "products", fields=["title", "quantity", "brand"], sort="-quantity")
    assert tuple(read_csv(job)[0].items()) == (
        ("title", "Café"),
        ("quantity", "48"),
        ("brand", ""),
    )
    assert [row["quantity"] for row in read_csv(job)] == ["48", "8", "0"]


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        ({"resource_name": "wheels"}, "resource"),
        ({"file_format": "doc"}, "format"),
        ({"fields": ["title", "wings"]}, "fields"),
        ({"filters": {"wings": "2"}}, "wings"),
        ({"filters": {"quantity": "many"}}, "quantity"),
        ({"options": {"delimiter": "pipe"}}, "format"),
    ],
)
def test_a_wrong_request_is_refused_before_a_job_is_made(
    session: Session, editor: User, request_: dict[str, Any], named: str
) -> None:
    with pytest.raises(Invalid) as refused:
        exports.request_export(editor, **({"resource_name": "products", "file_format": "csv"} | request_))
    assert named in refused.value.problems
    assert jobs.list_jobs(editor) == []


def test_a_double_click_makes_one_file(session: Session, editor: User, stranger: User) -> None:
    first = exports.request_export(editor, "products", "csv")
    assert exports.request_export(editor, "products", "csv").id == first.id
    assert exports.request_export(editor, "products", "json").id != first.id
    assert exports.request_export(stranger, "products", "csv").id != first.id


def test_an_export_is_of_one_moment(session: Session, editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "csv", replace(FORMATS["csv"], batch_rows=2))
    save("categories", {"name": "Tools"})
    save("products", *(product(f"{number:03}", title=f"{number:03}") for number in range(40)))
    job = exports.request_export(editor, "products", "csv")
    original = JobRun.raise_if_stopped
    changed: list[JobRun] = []

    def change_meanwhile(run: JobRun) -> None:
        original(run)
        if not changed:
            changed.append(run)
            with write_transaction() as writing:
                writing.execute(update(Product).values(title="changed"))
            save("products", product("999"))

    monkeypatch.setattr(JobRun, "raise_if_stopped", change_meanwhile)
    carry_out(job.id, exports.run_export)
    rows = read_csv(look_at(job.id))
    assert changed
    assert [row["title"] for row in rows] == [f"{number:03}" for number in range(40)]


def test_progress_is_told_while_the_file_grows(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMATS, "csv", replace(FORMATS["csv"], batch_rows=5))
    save("brands", *({"name": str(number)} for number in range(23)))
    job, told = exports.request_export(editor, "brands", "csv"), []
    run = claim(job.id)
    run.on_progress = lambda done, total: told.append((done, total))
    exports.run_export(run)
    assert told[0] == (5, 23)
    assert told[-1] == (23, 23)


def test_a_cancelled_export_leaves_no_file(session: Session, settings: Settings, editor: User) -> None:
    save("brands", {"name": "Acme"})
    job = exports.request_export(editor, "brands", "csv")

    def body(run: JobRun) -> None:
        jobs.cancel_job(editor, run.task_id)
        run._cancelled.set()
        exports.run_export(run)

    carry_out(job.id, body)
    assert (look_at(job.id).status, look_at(job.id).file_path) == ("cancelled", None)
    assert list((settings.data_dir / "media" / "exports").iterdir()) == []


def test_a_worker_that_lost_its_job_publishes_no_file(
    session: Session, settings: Settings, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("brands", {"name": "Acme"})
    job, measure = exports.request_export(editor, "brands", "csv"), files.measure

    def lose_then_measure(path: str) -> tuple[int, str]:  # the file is whole, the row not yet written
        lose_worker(job.id)
        return measure(path)

    monkeypatch.setattr(files, "measure", lose_then_measure)
    with pytest.raises(LeaseLost):
        exports.run_export(claim(job.id))
    assert (look_at(job.id).status, look_at(job.id).file_path) == ("pending", None)
    assert list((settings.data_dir / "media" / "exports").iterdir()) == []


def test_a_file_is_kept_as_long_as_the_settings_say(
    session: Session, settings: Settings, editor: User
) -> None:
    job = export(editor, "brands")
    assert job.expires_at is not None
    assert job.completed_at is not None
    assert abs(job.expires_at - job.completed_at - timedelta(days=settings.file_ttl_days)) < timedelta(
        minutes=1
    )


@pytest.mark.parametrize("resource", RESOURCES)
def test_importing_an_export_changes_nothing(session: Session, editor: User, resource: str) -> None:
    fill_shop()
    exported = export(editor, resource)
    again = bring_in(editor, resource, read(exported).decode())
    assert again.record_count == 0, again.error_message
    assert counts(again) == (0, 0, exported.record_count, 0)


def test_a_viewer_may_export(session: Session, viewer: User) -> None:
    stock_up("A")
    assert export(viewer, "products").record_count == 1


def test_the_file_has_a_name_that_nobody_can_guess(session: Session, editor: User) -> None:
    job = export(editor, "brands")
    assert job.file_path is not None
    assert len(Path(job.file_path).stem) >= 32
    assert job.task_id not in job.file_path
