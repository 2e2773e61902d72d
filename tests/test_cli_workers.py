"""The commands of operators for workers and logs."""

import json

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.support.jobs import ask, claim, look_at
from tests.support.monitor import log_line, start_consumer
from tests.test_cli_jobs import run
from webapp.models import User
from webapp.services import job_protocol, workers


def test_the_workers_status_is_an_exit_code(app: Flask, session: Session) -> None:
    code, output = run(app, "worker", "status")
    assert (code, "No worker lives" in output) == (1, True)
    workers.beat()
    code, output = run(app, "worker", "status", "--json")
    assert (code, json.loads(output)[0]["is_stale"]) == (0, False)


def test_workers_are_listed_with_what_they_do_and_what_they_run(
    app: Flask, session: Session, editor: User
) -> None:
    start_consumer()
    workers.beat()
    job_id = ask(editor, "export")
    claim(job_id, job_protocol.owner_name())
    code, output = run(app, "worker", "status")
    head, *rows = output.splitlines()
    assert (code, head.split()[:3]) == (0, ["HOST", "PID", "STATE"])
    assert any("4711  ready" in row and "0.0.1 (not this code)" in row for row in rows)
    assert any("busy" in row and f"export {look_at(job_id).task_id}" in row for row in rows)


def test_logs_are_tailed_by_level_job_and_text(app: Flask, session: Session, editor: User) -> None:
    job_id = ask(editor)
    log_line("a quiet line", job_id)
    log_line("a loud line", None, "ERROR")
    everything = run(app, "logs", "tail")[1]
    assert everything.index("a quiet line") < everything.index("a loud line")
    assert "a quiet line" not in run(app, "logs", "tail", "--level", "ERROR")[1]
    assert "a quiet line" not in run(app, "logs", "tail", "--text", "LOUD")[1]
    task_id = look_at(job_id).task_id
    told = [json.loads(line) for line in run(app, "logs", "tail", "--job", task_id, "--json")[1].splitlines()]
    assert [(line["message"], line["job"], line["level"]) for line in told] == [
        ("a quiet line", task_id, "INFO")
    ]
    assert run(app, "logs", "tail", "--lines", "1")[1].count("\n") == 1
    assert run(app, "logs", "tail", "--job", "no-such-job")[0] == 2


def test_following_prints_what_comes_until_it_is_enough(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_line("before")
    pauses = iter(["first", "second"])

    def pause(_seconds: float) -> None:
        message = next(pauses, None)
        if message is None:
            raise KeyboardInterrupt
        log_line(message)

    monkeypatch.setattr("webapp.cli_workers.time.sleep", pause)
    code, output = run(app, "logs", "tail", "--follow")
    assert (code, [line.rpartition(" ")[2] for line in output.splitlines()]) == (
        0,
        ["before", "first", "second"],
    )
