import threading
import time
import uuid
from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from tests.support.api import Caller
from tests.support.databases import on_both_databases
from tests.support.houses import MakeApp, drain_queue
from webapp.extensions import db

pytestmark = pytest.mark.slow

BRANDS = {"resource": "brands", "format": "csv"}
NAMED = (
    "task_id, task_type, model_name, file_format, status, processed, total, record_count, created, updated,"
    " unchanged, failed, error_message, attempt, created_at, started_at, completed_at, expires_at, sha256,"
    " file_size, download_url, errors_url"
)


def ask_for_export(caller: Caller, **more: Any) -> str:
    """Return the address of a new job."""
    return caller.post("/exports", json=BRANDS | more).headers["Location"]


def send_file(caller: Caller, text: str, **more: str) -> str:
    """Return the address of the job of a new import of suppliers."""
    form = {"resource": "suppliers", "file": (BytesIO(text.encode()), "s.csv"), **more}
    return caller.post("/imports", data=form).headers["Location"]


def test_a_job_has_what_was_promised(app: Flask) -> None:
    caller = Caller(app, "viewer")
    assert set(NAMED.split(", ")) <= caller.get(ask_for_export(caller)).get_json().keys()


def test_what_is_another_s_is_not_there(app: Flask) -> None:
    url = ask_for_export(Caller(app, "editor"))
    other = Caller(app, "stranger")
    for method, path in (
        ("GET", ""),
        ("GET", "?wait=1"),
        ("GET", "/download"),
        ("GET", "/errors"),
        ("POST", "/cancellation"),
        ("POST", "/retries"),
        ("PUT", "/read-mark"),
        ("DELETE", ""),
    ):
        assert other.ask(method, url + path).status_code == 404, (method, path)
    assert other.get(f"/jobs/{uuid.uuid4()}").status_code == 404
    assert Caller(app, "admin").get(url).status_code == 200


def test_the_list_goes_on_by_its_links(app: Flask) -> None:
    caller = Caller(app, "viewer")
    urls = [ask_for_export(caller, format=name) for name in ("csv", "json", "xml")]
    ask_for_export(Caller(app, "editor"))
    found, link = [], "/jobs?limit=2&task_type=export"
    while link:
        page = caller.get(link).get_json()
        found += [job["url"] for job in page["items"]]
        link = page["next"]
    assert found == urls[::-1]
    assert caller.get("/jobs?status=completed").get_json()["items"] == []
    assert len(Caller(app, "admin").get("/jobs?everybody=true").get_json()["items"]) == 4
    assert caller.get("/jobs?everybody=true").status_code == 403


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "status=lost", "before=0", "colour=red", "wait=3"])
def test_a_query_that_cannot_be_understood_names_what_is_wrong(app: Flask, query: str) -> None:
    answer = Caller(app, "viewer").get(f"/jobs?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == query.partition("=")[0]


def test_what_can_be_done_about_a_job(app: Flask) -> None:
    caller = Caller(app, "viewer", "read")
    url = ask_for_export(caller)
    assert caller.get(f"{url}/download").status_code == 404
    assert caller.ask("DELETE", url).status_code == 409
    cancelled = caller.post(f"{url}/cancellation")
    assert (cancelled.status_code, cancelled.get_json()["status"]) == (200, "cancelled")
    assert caller.post(f"{url}/cancellation").status_code == 409
    retried = caller.post(f"{url}/retries")
    assert (retried.status_code, retried.get_json()["status"]) == (202, "pending")
    assert retried.headers["Location"] == url
    drain_queue()
    assert caller.post(f"{url}/retries").status_code == 409
    assert caller.ask("PUT", f"{url}/read-mark").status_code == 204
    assert caller.get(url).get_json()["is_read"] is True
    assert caller.ask("DELETE", url).status_code == 204
    assert caller.get(url).status_code == 404


def test_a_token_for_reading_leaves_imports_alone(app: Flask) -> None:
    url = send_file(Caller(app, "editor"), "name\nA\n")
    reader = Caller(app, "editor", "read")
    assert reader.get(url).status_code == 200
    for method, path in (("POST", "/cancellation"), ("POST", "/retries"), ("DELETE", "")):
        answer = reader.ask(method, url + path)
        assert answer.status_code == 403
        assert "only read" in answer.get_json()["detail"]


def test_rows_that_were_not_taken_come_as_reasons_and_as_a_file(app: Flask) -> None:
    caller = Caller(app, "editor")
    url = send_file(caller, "name,email\nA,x\nB,b@shop.example\nC,y\n")
    drain_queue()
    job = caller.get(url).get_json()
    assert (job["status"], job["created"], job["failed"]) == ("completed", 1, 2)
    first = caller.get(f"{job['errors_url']}?limit=1").get_json()
    assert (first["items"][0]["line"], first["items"][0]["column"], first["items"][0]["value"]) == (
        2,
        "email",
        "x",
    )
    assert "not an e-mail address" in first["items"][0]["detail"]
    second = caller.get(first["next"]).get_json()
    assert [item["line"] for item in second["items"]] == [4]
    assert second["next"] is None
    portuguese = caller.get(job["errors_url"], headers={"Accept-Language": "pt-BR"}).get_json()
    assert portuguese["items"][0]["detail"] != first["items"][0]["detail"]
    for kwargs in ({"headers": {"Accept": "text/csv"}}, {"query_string": {"format": "csv"}}):
        file = caller.get(job["errors_url"], **kwargs)
        assert file.mimetype == "text/csv"
        assert file.text.splitlines()[1].startswith("A,x,")
        assert "s-errors.csv" in file.headers["Content-Disposition"]


def test_an_export_has_no_rows_that_were_not_taken(app: Flask) -> None:
    caller = Caller(app, "editor")
    url = ask_for_export(caller)
    assert caller.get(url).get_json()["errors_url"] is None
    assert caller.get(f"{url}/errors").status_code == 404


@on_both_databases
def test_who_waits_is_answered_at_the_end_and_holds_no_connection(make_app: MakeApp) -> None:
    app = make_app()
    caller = Caller(app, "viewer")
    url = ask_for_export(caller)
    answers: list[dict[str, Any]] = []
    waiting = [
        threading.Thread(target=lambda: answers.append(caller.get(f"{url}?wait=30").get_json()))
        for _ in range(5)
    ]
    for thread in waiting:
        thread.start()
    seen = []
    with app.app_context():
        pool: Any = db.engine.pool
    for _ in range(40):
        seen.append(pool.checkedout())
        time.sleep(0.02)
    assert sorted(seen)[len(seen) // 2] == 0  # but for the moments in which they look
    assert answers == []
    drain_queue()
    for thread in waiting:
        thread.join(10)
    assert [answer["status"] for answer in answers] == ["completed"] * 5


def test_a_wait_ends_when_its_time_is_over(app: Flask) -> None:
    caller = Caller(app, "viewer")
    url = ask_for_export(caller)
    begun = time.monotonic()
    assert caller.get(f"{url}?wait=1").get_json()["status"] == "pending"
    assert time.monotonic() - begun >= 1
    assert caller.get(f"{url}?wait=61").status_code == 422
