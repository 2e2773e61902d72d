"""Figures for Prometheus: who may read them, and that they are right."""

from datetime import timedelta

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from config import ConfigError, load_settings
from tests.support.api import bearer, make_token
from tests.support.databases import on_both_databases
from tests.support.houses import MakeApp, load_person, sign_in
from tests.support.jobs import ask, change
from webapp.extensions import socketio
from webapp.models.base import utc_now
from webapp.services import workers

HERE = {"METRICS_ALLOWED_NETWORKS": "127.0.0.0/8, ::1/128"}


def read(answer: TestResponse) -> dict[str, float]:
    """Return every sample under its name and labels."""
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@on_both_databases
def test_jobs_and_workers_are_those_of_the_database(make_app: MakeApp) -> None:
    first, second = make_app(**HERE), make_app(**HERE)
    now = utc_now()
    with first.app_context():
        editor = load_person(first, "editor")
        ask(editor, model_name="brands", file_format="csv")
        ended = ask(editor, model_name="brands", file_format="csv")
        start = now - timedelta(seconds=10)
        change(ended, status="completed", started_at=start, completed_at=now, processed=500)
        other = ask(task_type="metrics")
        change(other, status="completed", started_at=start, completed_at=now)
        workers.beat()
    for app in (first, second):
        found = read(app.test_client().get("/metrics"))
        assert found["stockroom_database_up[]"] == 1
        assert found["stockroom_jobs['export', 'pending']"] == 1
        assert found["stockroom_jobs['completed', 'export']"] == 1
        assert found["stockroom_job_run_seconds['0.5', 'export']"] == 10
        assert found["stockroom_job_run_seconds['0.95', 'metrics']"] == 10
        assert found["stockroom_job_rows_per_second['export']"] == 50
        assert "stockroom_job_rows_per_second['metrics']" not in found  # it does no rows
        assert found["stockroom_queue_depth[]"] == 1
        assert found["stockroom_queue_oldest_seconds[]"] >= 0
        assert found["stockroom_consumers[]"] == 1


def test_requests_are_counted_by_what_was_declared(make_app: MakeApp) -> None:
    client = make_app(**HERE).test_client()
    client.get("/healthz")
    client.get("/made-up")
    client.open("/made-up-too", method="MADEUP")
    found = read(client.get("/metrics"))
    assert found["stockroom_http_request_seconds_count['/healthz', '200', 'GET']"] == 1
    assert found["stockroom_http_request_seconds_count['404', 'any', 'none']"] == 2
    assert not [name for name in found if "made-up" in name.lower()]


def test_sockets_are_counted(make_app: MakeApp) -> None:
    app = make_app(**HERE)
    browser = app.test_client()
    sign_in(browser, load_person(app, "viewer"))
    before = read(app.test_client().get("/metrics"))["stockroom_socket_connections[]"]
    socket = socketio.test_client(app, flask_test_client=browser)
    assert read(app.test_client().get("/metrics"))["stockroom_socket_connections[]"] == before + 1
    socket.disconnect()
    assert read(app.test_client().get("/metrics"))["stockroom_socket_connections[]"] == before


def test_unless_a_network_is_allowed_an_administrator_s_token_is_needed(app: Flask) -> None:
    client = app.test_client()
    refused = client.get("/metrics")
    assert (refused.status_code, refused.mimetype) == (401, "application/problem+json")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert "stockroom_" not in refused.text
    editor = client.get("/metrics", headers=bearer(make_token(app, "editor")))
    assert (editor.status_code, editor.mimetype) == (403, "application/problem+json")
    read(client.get("/metrics", headers=bearer(make_token(app, "admin", "read"))))


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_a_proxy_that_nobody_told_of_is_not_the_one_who_asks(make_app: MakeApp, header: str) -> None:
    assert make_app(**HERE).test_client().get("/metrics", headers={header: "127.0.0.1"}).status_code == 401


@pytest.mark.parametrize(
    ("sent", "status"), [("10.1.2.3", 200), ("11.1.2.3", 401), ("10.1.2.3, 11.1.2.3", 401)]
)
def test_behind_a_trusted_proxy_the_one_who_asks_counts(make_app: MakeApp, sent: str, status: int) -> None:
    app = make_app(TRUSTED_PROXIES="1", METRICS_ALLOWED_NETWORKS="10.0.0.0/8")
    answer = app.test_client().get("/metrics", headers={"X-Forwarded-For": sent})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        ("127.0.0.0/8", "::ffff:127.0.0.1", 200),
        ("127.0.0.0/8", "::1", 401),
        ("127.0.0.0/8", "not an address", 401),
        ("", "127.0.0.1", 401),
        ("192.0.2.0/24, 2001:db8::/32", "2001:db8::7", 200),
    ],
)
def test_networks(make_app: MakeApp, networks: str, address: str, status: int) -> None:
    client = make_app(METRICS_ALLOWED_NETWORKS=networks).test_client()
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": address}).status_code == status


@pytest.mark.parametrize("text", ["everywhere", "10.0.0.1/8", "10.0.0.0/8,", "10.0.0.0/64"])
def test_a_network_that_is_none_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigError, match=r"METRICS_ALLOWED_NETWORKS is .* write networks such as 10"):
        load_settings({"METRICS_ALLOWED_NETWORKS": text})
