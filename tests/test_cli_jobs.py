"""The commands of operators for jobs."""

import json

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.support.jobs import ask, carry_out, change, failing, look_at
from tests.support.monitor import fill_monitor
from webapp.models import User
from webapp.models.clock import db_now
from webapp.services.monitor_types import SHOWN_STATES


def run(app: Flask, *arguments: str) -> tuple[int, str]:
    """Run a command and return its exit code and what it printed."""
    result = app.test_cli_runner().invoke(args=list(arguments))
    return result.exit_code, result.output


def listed(app: Flask, *options: str) -> list[str]:
    """The ids that ``jobs list`` finds."""
    code, output = run(app, "jobs", "list", "--json", *options)
    assert code == 0, output
    return [job["task_id"] for job in json.loads(output)]


def test_jobs_are_listed_as_a_table(app: Flask, session: Session, editor: User) -> None:
    made = fill_monitor(editor)
    code, output = run(app, "jobs", "list")
    head, *rows = output.splitlines()
    assert (code, len(rows)) == (0, len(SHOWN_STATES))
    assert head.split()[:4] == ["ID", "STATE", "KIND", "RESOURCE"]
    assert {tuple(row.split()[:2]) for row in rows} == {(task_id, state) for state, task_id in made.items()}
    assert "The disk is full." in output
    assert "very secret" not in output
    assert run(app, "jobs", "list", "--text", "nothing at all") == (0, "No jobs.\n")


def test_the_options_of_the_list_combine(app: Flask, session: Session, editor: User, stranger: User) -> None:
    made = fill_monitor(editor)
    foreign = look_at(ask(stranger, "import", model_name="brands")).task_id
    for state, task_id in made.items():
        assert listed(app, "--state", state, "--user", editor.email.upper(), "--since", "1h") == [task_id]
    assert listed(app, "--kind", "import", "--resource", "brands") == [foreign]
    assert listed(app, "--kind", "import", "--user", editor.email) == []
    assert listed(app, "--text", "disk is full") == [made["failed"]]
    assert listed(app, "--text", made["stalled"]) == [made["stalled"]]
    assert len(listed(app, "--limit", "3")) == 3
    assert "There are more than these 3" in run(app, "jobs", "list", "--limit", "3")[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--user", "nobody@example.com"), "There is no user “nobody@example.com”."),
        (("--since", "yesterday"), "“yesterday” is no age."),
        (("--since", "999999999d"), "“999999999d” is no age."),
        (("--state", "broken"), "broken"),
    ],
)
def test_what_cannot_be_listed_is_said(
    app: Flask, session: Session, options: tuple[str, ...], said: str
) -> None:
    code, output = run(app, "jobs", "list", *options)
    assert (code, said in output) == (2, True), output


def test_one_job_is_shown_with_its_tries(app: Flask, session: Session, editor: User) -> None:
    job_id = ask(editor, "export", model_name="brands", params={"api_token": "very secret"})
    carry_out(job_id, failing(ValueError("a bug")))
    task_id = look_at(job_id).task_id
    code, output = run(app, "jobs", "show", task_id)
    told = dict(line.split(maxsplit=1) for line in output.partition("\n\n")[0].splitlines())
    assert code == 0
    assert (told["id"], told["state"], told["kind"]) == (task_id, "failed", "export brands")
    assert "1    failed" in output
    assert "very secret" not in output
    assert json.loads(run(app, "jobs", "show", task_id, "--json")[1])["status"] == "failed"
    assert run(app, "jobs", "show", "no-such-job") == (2, "Error: There is no “no-such-job”.\n")
    waiting = look_at(ask(editor)).task_id
    assert "It has not started yet." in run(app, "jobs", "show", waiting)[1]


def test_jobs_are_retried_and_cancelled(app: Flask, session: Session, editor: User) -> None:
    failed, waiting = ask(editor, "export", model_name="brands"), ask(editor, "import")
    change(failed, status="failed", completed_at=db_now(0))
    first, second = look_at(failed).task_id, look_at(waiting).task_id
    why = " (there is no such job, or its state does not allow it)"
    assert run(app, "jobs", "retry", first, second) == (0, f"1 tried again, 1 skipped{why}.\n")
    assert run(app, "jobs", "cancel", first, second) == (0, "2 cancelled, 0 skipped.\n")
    assert run(app, "jobs", "retry", "no-such-job") == (1, f"0 tried again, 1 skipped{why}.\n")
    assert look_at(failed).status == "cancelled"


def test_old_jobs_are_pruned_after_a_dry_run(app: Flask, session: Session, editor: User) -> None:
    job_id = ask(editor)
    change(job_id, status="completed", completed_at=db_now(-31 * 24 * 3600))
    options = ("jobs", "prune", "--older-than", "30d", "--status", "completed")
    assert run(app, *options, "--dry-run") == (0, "1 job would be deleted.\n")
    assert run(app, *options, "--read") == (0, "0 jobs deleted.\n")
    assert run(app, *options) == (0, "1 job deleted.\n")
    for age in ("a month", "30", "-1d", "999999999d"):
        code, output = run(app, "jobs", "prune", f"--older-than={age}")
        assert (code, "is no age" in output) == (2, True)
    assert run(app, "jobs", "prune")[0] == 2
