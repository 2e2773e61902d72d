import json
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from tests.support.api import Caller, ask_at_once
from tests.support.databases import on_both_databases
from tests.support.houses import MakeApp, drain_queue
from webapp.extensions import db
from webapp.models import DataImport, Supplier

pytestmark = pytest.mark.slow

CSV = "name,email\nAnna,anna@shop.example\nBert,not an address\n"


def send(caller: Caller, text: str = CSV, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
    """Send a file of suppliers."""
    form = {"resource": "suppliers", "file": FileStorage(BytesIO(text.encode()), "s.csv"), **more}
    boundary, body = encode_multipart(form)  # the client itself would leave a large one in an open file
    kind = f"multipart/form-data; boundary={boundary}"
    return caller.post("/imports", data=body, content_type=kind, headers=headers)


def run(caller: Caller, **more: Any) -> dict[str, Any]:
    """Send a file and return its job as it has ended."""
    asked = send(caller, **more)
    assert asked.status_code == 202, asked.text
    drain_queue()
    job: dict[str, Any] = caller.get(asked.headers["Location"]).get_json()
    return job


@on_both_databases
def test_a_file_in_one_request(app: Flask) -> None:
    job = run(Caller(app, "editor"))
    assert (job["task_type"], job["status"], job["created"], job["failed"]) == ("import", "completed", 1, 1)
    with app.app_context():
        assert [found.name for found in db.session.query(Supplier)] == ["Anna"]


def test_a_mapping_decides(app: Flask) -> None:
    mapping = json.dumps({"name": "email", "description": {"column": "name", "values": {}}})
    job = run(Caller(app, "editor"), mapping=mapping)
    assert job["created"] == 2
    with app.app_context():
        assert db.session.query(Supplier.description).first() == ("Anna",)


def test_a_dry_run_saves_nothing_and_says_what_is_wrong(app: Flask) -> None:
    caller = Caller(app, "editor")
    job = run(caller, dry_run="true")
    assert (job["status"], job["record_count"]) == ("completed", 0)
    assert [item["line"] for item in caller.get(job["errors_url"]).get_json()["items"]] == [3]
    with app.app_context():
        assert db.session.query(Supplier).count() == 0


def test_all_rows_or_none(app: Flask) -> None:
    job = run(Caller(app, "editor"), on_error="abort")
    assert job["status"] == "failed"
    assert "rows that cannot be taken: 1" in job["error_message"]
    with app.app_context():
        assert db.session.query(Supplier).count() == 0


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"resource": "cats"}, "resource", "There is no resource “cats”"),
        ({"mode": "merge"}, "mode", "Must be one of"),
        ({"mapping": "{"}, "mapping", "not JSON"),
        ({"mapping": "[]"}, "mapping", "not a JSON object"),
        ({"mapping": "{}"}, "mapping", "No column is used"),
        ({"mapping": '{"colour": "name"}'}, "mapping", "There is no field “colour”"),
        ({"mapping": '{"name": 1}'}, "mapping.name", "neither a column"),
        ({"mapping": '{"name": {"columns": "x"}}'}, "mapping.name", "neither a column"),
        ({"create_missing": "colour"}, "create_missing", "colour"),
        ({"delimiter": ""}, "delimiter", "not a choice"),
        ({"header_line": "0"}, "header_line", "Must be greater"),
        ({"colour": "red"}, "colour", "Unknown field"),
    ],
)
def test_what_cannot_be_taken_is_named(app: Flask, form: dict[str, Any], field: str, words: str) -> None:
    answer = send(Caller(app, "editor"), **form)
    assert answer.status_code == 422, answer.text
    errors = answer.get_json()["errors"]
    assert [error for error in errors if error["field"] == field and words in error["detail"]], errors


def test_a_file_that_is_none_of_ours_is_named(app: Flask) -> None:
    answer = send(Caller(app, "editor"), "%PDF-1.7 …")
    assert answer.status_code == 422
    assert "PDF" in answer.get_json()["detail"]
    assert Caller(app, "editor").post("/imports", data={"resource": "suppliers"}).status_code == 415
    form = {"resource": "suppliers", "file": "no file"}
    answer = Caller(app, "editor").post("/imports", data=form, content_type="multipart/form-data")
    assert answer.get_json()["errors"][0]["field"] == "file"


def test_too_large_a_file_is_refused(make_app: MakeApp) -> None:
    app = make_app(MAX_UPLOAD_MB="1")
    assert send(Caller(app, "editor"), "x" * (2 << 20)).status_code == 413
    text = "name\n" + "y" * (1 << 20)
    answer = send(Caller(app, "editor"), text)
    assert answer.status_code == 422
    assert "larger than 1 MB" in answer.get_json()["detail"]


@pytest.mark.parametrize(("person", "scope"), [("viewer", "read"), ("editor", "read")])
def test_who_may_only_read_sends_no_file(app: Flask, person: str, scope: str) -> None:
    assert send(Caller(app, person, scope)).status_code == 403


@on_both_databases
def test_a_repeated_request_returns_the_same_job_and_keeps_one_file(app: Flask) -> None:
    caller, key = Caller(app, "editor"), {"Idempotency-Key": "delivery 7"}
    first = send(caller, headers=key)
    again = send(caller, headers=key)
    drain_queue()
    third = send(caller, headers=key)
    assert {answer.get_json()["task_id"] for answer in (first, again, third)} == {first.get_json()["task_id"]}
    assert third.get_json()["status"] == "completed"
    assert send(caller, CSV + "Carl,\n", headers=key).status_code == 422
    assert send(caller, mode="create", headers=key).status_code == 422
    with app.app_context():
        assert db.session.query(DataImport).count() == 1


@on_both_databases
def test_the_same_file_many_times_at_once_is_one_import(app: Flask) -> None:
    callers = [Caller(app, "editor") for _ in range(5)]
    answers = ask_at_once(callers, lambda caller: send(caller, headers={"Idempotency-Key": "at once"}))
    assert [answer.status_code for answer in answers] == [202] * len(callers)
    assert len({answer.get_json()["task_id"] for answer in answers}) == 1
    with app.app_context():  # and no file is left that no row names: the house is held to that
        assert db.session.query(DataImport).count() == 1
