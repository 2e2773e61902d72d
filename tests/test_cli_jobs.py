"""The commands of operators."""

import json

from flask import Flask
from sqlalchemy.orm import Session

from tests.support.jobs import ask, change, look_at
from webapp.database import write_transaction
from webapp.models import JobLog, User
from webapp.models.clock import db_now
from webapp.services import workers


def run(app: Flask, *arguments: str) -> tuple[int, str]:
    """Run a command and return its exit code and what it printed."""
    result = app.test_cli_runner().invoke(args=list(arguments))
    return result.exit_code, result.output


def test_jobs_are_listed_shown_retried_and_cancelled(app: Flask, session: Session, editor: User) -> None:
    failed, waiting = ask(editor, "export", model_name="brands"), ask(editor, "import")
    change(failed, status="failed", completed_at=db_now(0))
    first, second = look_at(failed).task_id, look_at(waiting).task_id
    code, listed = run(app, "jobs", "list", "--state", "failed")
    assert (code, first in listed, second in listed) == (0, True, False)
    assert json.loads(run(app, "jobs", "show", first)[1])["status"] == "failed"
    assert run(app, "jobs", "retry", first, second) == (0, "1 tried again, 1 skipped.\n")
    assert run(app, "jobs", "cancel", first, second) == (0, "2 cancelled, 0 skipped.\n")
    assert run(app, "jobs", "retry", "no-such-job") == (1, "0 tried again, 1 skipped.\n")
    assert look_at(failed).status == "cancelled"


def test_old_jobs_are_pruned_after_a_dry_run(app: Flask, session: Session, editor: User) -> None:
    job_id = ask(editor)
    change(job_id, status="completed", completed_at=db_now(-31 * 24 * 3600))
    options = ("jobs", "prune", "--older-than", "30d", "--status", "completed")
    assert run(app, *options, "--dry-run") == (0, "1 jobs would be deleted.\n")
    assert run(app, *options, "--read") == (0, "0 jobs deleted.\n")
    assert run(app, *options) == (0, "1 jobs deleted.\n")
    code, output = run(app, "jobs", "prune", "--older-than", "a month")
    assert (code, "is no age" in output) == (2, True)


def test_the_workers_status_is_an_exit_code(app: Flask, session: Session) -> None:
    code, output = run(app, "worker", "status")
    assert (code, "No worker lives." in output) == (1, True)
    workers.beat()
    code, output = run(app, "worker", "status", "--json")
    assert (code, json.loads(output)[0]["is_stale"]) == (0, False)


def test_logs_are_tailed_by_level_and_job(app: Flask, session: Session, editor: User) -> None:
    job_id = ask(editor)
    with write_transaction() as writing:
        for level, about in (("INFO", job_id), ("ERROR", None)):
            writing.add(JobLog(job_id=about, level=level, message=f"a {level} line", consumer="c"))
            writing.flush()
    assert "a INFO line" in run(app, "logs", "tail")[1]
    assert "a INFO line" not in run(app, "logs", "tail", "--level", "ERROR")[1]
    only = run(app, "logs", "tail", "--job", look_at(job_id).task_id)[1]
    assert ("a INFO line" in only, "a ERROR line" in only) == (True, False)
    assert run(app, "logs", "tail", "--job", "no-such-job")[0] == 2
