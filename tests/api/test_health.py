"""Readiness: each check fails by itself, says what is wrong and tells nobody a secret."""

import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.databases import on_both_databases
from tests.support.houses import Environment, MakeApp, load_person
from tests.support.jobs import ask
from webapp import database as transactions
from webapp.services import files, health, workers

CHECKS = ["database", "queue", "workers", "disk"]
Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as shutil's


def let_a_worker_live(app: Flask) -> None:
    """Have a worker heard of."""
    with app.app_context():
        workers.beat()


def failed(answer: TestResponse) -> list[str]:
    """Return the names of the checks that failed."""
    body = answer.get_json()
    assert list(body["checks"]) == CHECKS
    found = [name for name, line in body["checks"].items() if not line["ok"]]
    assert (answer.status_code, body["status"]) == ((503, "not ready") if found else (200, "ready"))
    assert all(line["detail"].endswith(".") for line in body["checks"].values())
    return found


@on_both_databases
def test_with_everything_there_it_is_ready(app: Flask) -> None:
    let_a_worker_live(app)
    with app.app_context():
        ask(load_person(app, "editor"), model_name="brands", file_format="csv")
    answer = app.test_client().get("/readyz")
    assert failed(answer) == []
    checks = answer.get_json()["checks"]
    assert (checks["queue"]["depth"], checks["workers"]["alive"]) == (1, 1)
    assert checks["queue"]["oldest_seconds"] >= 0
    assert checks["disk"]["free_bytes"] > checks["disk"]["floor_bytes"]


def test_without_a_worker_it_is_not_ready(client: FlaskClient) -> None:
    assert failed(client.get("/readyz")) == ["workers"]


def test_a_full_disk_makes_it_not_ready(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_a_worker_live(app)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 9, files.FREE_DISK_FLOOR - 1))
    assert failed(client.get("/readyz")) == ["disk"]


def test_a_queue_that_fails_makes_it_not_ready_and_keeps_its_words(app: Flask, client: FlaskClient) -> None:
    def refuse() -> int:
        raise OSError("redis://user:hunter2@host refused")

    let_a_worker_live(app)
    health.set_broker_probe(app, refuse)
    answer = client.get("/readyz")
    assert failed(answer) == ["queue"]
    assert "hunter2" not in answer.text


def test_a_lock_that_is_never_free_makes_it_not_ready(
    app: Flask, client: FlaskClient, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_a_worker_live(app)
    monkeypatch.setattr(transactions, "BUSY_LIMIT_SECONDS", 0.2)
    path = f"{environment['DATA_DIR']}/stockroom.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = client.get("/readyz")
    assert failed(answer) == ["database"]
    assert path not in answer.text
    assert failed(client.get("/readyz")) == []


@pytest.mark.integration
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_server_that_only_reads_makes_it_not_ready(make_app: MakeApp, environment: Environment) -> None:
    let_a_worker_live(make_app())
    address = environment["DATABASE_URL"]
    mark = "&" if "?" in address else "?"
    app = make_app(DATABASE_URL=f"{address}{mark}options=-c%20default_transaction_read_only%3Don")
    assert failed(app.test_client().get("/readyz")) == ["database"]


def test_strangers_cannot_ask_without_end(client: FlaskClient) -> None:
    answers = {client.get("/readyz").status_code for _ in range(121)}
    assert answers == {503, 429}
