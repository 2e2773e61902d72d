from typing import Any

import pytest
from flask import Flask

from tests.support.api import Caller, ask_at_once
from tests.support.databases import on_both_databases
from tests.support.factories import save
from tests.support.houses import drain_queue
from webapp.extensions import db
from webapp.models import ApiRequest, TaskNotification

pytestmark = pytest.mark.slow

BRANDS = {"resource": "brands", "format": "csv"}


@on_both_databases
def test_an_export_from_the_request_to_the_file(app: Flask) -> None:
    with app.app_context():
        save("brands", {"name": "Nord"}, {"name": "Süd"})
    caller = Caller(app, "viewer")
    asked = caller.post("/exports", json=BRANDS | {"fields": ["name"], "sort": "-name"})
    assert asked.status_code == 202
    assert asked.get_json()["status"] == "pending"
    assert asked.headers["Location"] == f"/api/v1/jobs/{asked.get_json()['task_id']}"
    drain_queue()
    job = caller.get(asked.headers["Location"]).get_json()
    assert (job["status"], job["record_count"], job["is_read"]) == ("completed", 2, False)
    assert job["completed_at"].endswith("Z")
    file = caller.get(job["download_url"])
    assert file.data == "name\r\nSüd\r\nNord\r\n".encode()
    assert file.headers["ETag"] == f'"{job["sha256"]}"'
    part = caller.get(job["download_url"], headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.data) == (206, b"name")


@pytest.mark.parametrize(
    ("body", "status", "field", "words"),
    [
        ({}, 422, "resource", "Missing data"),
        ({"resource": "cats", "format": "csv"}, 422, "resource", "There is no resource “cats”"),
        (BRANDS | {"fields": ["colour"]}, 422, "fields", "There is no field “colour”"),
        (BRANDS | {"fields": [1]}, 422, "fields.0", "Not a valid string"),
        (BRANDS | {"format": "doc"}, 422, "format", "doc"),
        (BRANDS | {"filters": {"colour": "red"}}, 422, "colour", "There is no field “colour”"),
        (BRANDS | {"sort": "colour"}, 422, "sort", "cannot be sorted"),
        (BRANDS | {"options": {"delimiter": "dot"}}, 422, "format", "dot"),
        (BRANDS | {"colour": "red"}, 422, "colour", "Unknown field"),
        ([], 422, None, "Invalid input"),
    ],
)
def test_what_cannot_be_taken_is_named(app: Flask, body: Any, status: int, field: str, words: str) -> None:
    answer = Caller(app, "editor").post("/exports", json=body)
    assert answer.status_code == status
    errors = answer.get_json()["errors"]
    assert [error for error in errors if error["field"] == field and words in error["detail"]], errors


@pytest.mark.parametrize(
    ("data", "content_type", "status", "words"),
    [
        (b"{", "application/json", 400, "not JSON"),
        (b"\xff", "application/json", 400, "not JSON"),
        (b'{"resource": NaN}', "application/json", 400, "NaN is no number"),
        (b"[" * 100_000, "application/json", 400, "too deeply"),
        (b'{"resource": ' + b"9" * 5000 + b"}", "application/json", 400, "not JSON"),
        (b'{"resource": "a\\u0000"}', "application/json", 400, "NUL"),
        (b'{"resource": "\\ud800"}', "application/json", 400, "half"),
        (b"resource=brands", "application/x-www-form-urlencoded", 415, "application/json"),
        (b" " * (2 << 20), "application/json", 413, "Send less"),
    ],
)
def test_what_cannot_even_be_read_says_why(
    app: Flask, data: bytes, content_type: str, status: int, words: str
) -> None:
    answer = Caller(app, "editor").post("/exports", data=data, content_type=content_type)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert words in answer.get_json()["detail"]


def test_a_whole_character_outside_the_basic_plane_is_no_half(app: Flask) -> None:
    answer = Caller(app, "editor").post(
        "/exports", data=b'{"resource": "\\ud83d\\ude00", "format": "csv"}', content_type="application/json"
    )
    assert "😀" in answer.get_json()["detail"]


@on_both_databases
def test_a_repeated_request_returns_the_same_job(app: Flask) -> None:
    caller, other = Caller(app, "viewer"), Caller(app, "editor")
    key = {"Idempotency-Key": "nightly 1"}
    first = caller.post("/exports", json=BRANDS, headers=key)
    drain_queue()  # ended: without the key the next one would be a new job
    again = caller.post("/exports", json=BRANDS, headers=key)
    assert again.status_code == 202
    assert again.get_json()["task_id"] == first.get_json()["task_id"]
    assert again.get_json()["status"] == "completed"
    assert (
        other.post("/exports", json=BRANDS, headers=key).get_json()["task_id"] != again.get_json()["task_id"]
    )
    new = caller.post("/exports", json=BRANDS)
    assert new.get_json()["task_id"] != again.get_json()["task_id"]
    misused = caller.post("/exports", json=BRANDS | {"format": "json"}, headers=key)
    assert misused.status_code == 422
    assert misused.get_json()["errors"][0]["field"] == "Idempotency-Key"
    long = caller.post("/exports", json=BRANDS, headers={"Idempotency-Key": "k" * 256})
    assert long.status_code == 422


@on_both_databases
def test_the_same_request_many_times_at_once_makes_one_job(app: Flask) -> None:
    callers = [Caller(app, "viewer") for _ in range(6)]
    key = {"Idempotency-Key": "at once"}
    answers = ask_at_once(callers, lambda caller: caller.post("/exports", json=BRANDS, headers=key))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.get_json()["task_id"] for answer in answers}) == 1
    with app.app_context():
        assert db.session.query(TaskNotification).count() == db.session.query(ApiRequest).count() == 1


def test_a_key_is_free_again_once_its_job_is_deleted(app: Flask) -> None:
    caller, key = Caller(app, "viewer"), {"Idempotency-Key": "once"}
    first = caller.post("/exports", json=BRANDS, headers=key)
    drain_queue()
    assert caller.ask("DELETE", first.headers["Location"]).status_code == 204
    second = caller.post("/exports", json=BRANDS | {"format": "json"}, headers=key)
    assert second.get_json()["task_id"] != first.get_json()["task_id"]


def test_a_refused_request_leaves_nothing_behind(app: Flask) -> None:
    caller, key = Caller(app, "viewer"), {"Idempotency-Key": "once"}
    assert caller.post("/exports", json=BRANDS | {"sort": "x"}, headers=key).status_code == 422
    assert caller.post("/exports", json=BRANDS, headers=key).status_code == 202
    with app.app_context():
        assert db.session.query(TaskNotification).count() == 1
