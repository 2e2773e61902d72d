"""The audit as a file: a line for each field, safe for spreadsheets, however the changes are batched."""

import csv

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import save
from tests.support.jobs import carry_out, look_at
from webapp.errors import Forbidden
from webapp.models import User
from webapp.services import audit_export, exports, files
from webapp.services.audit import ChangeFilter
from webapp.services.audit_export import request_changes
from webapp.services.job_actions import run_again


def read_file(job_id: int) -> list[dict[str, str]]:
    """Return the lines of a finished job's file."""
    job = look_at(job_id)
    assert job.status == "completed", job.error_message
    assert job.file_path is not None
    with files.open_for_reading(job.file_path) as file:
        return list(csv.DictReader(file.read().decode("utf-8-sig").splitlines()))


@on_both_databases
def test_the_file_holds_all_that_the_filter_leaves(
    session: Session, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_export, "CHANGES_AT_ONCE", 3)
    save("brands", *({"name": f"Brand {number}"} for number in range(10)), actor_id=admin.id, source="form")
    save("suppliers", {"name": "=cmd()", "phone": "1"}, actor_id=admin.id, source="api")
    brands = request_changes(admin, ChangeFilter(resource="brands")).id
    everything = request_changes(admin, ChangeFilter()).id
    for job_id in (brands, everything):
        carry_out(job_id, exports.run_export)
    assert [row["after"] for row in read_file(brands)] == [
        f"Brand {number}" for number in reversed(range(10))
    ]
    lines = read_file(everything)
    assert len(lines) == 12
    assert (lines[0]["user"], lines[0]["source"], lines[0]["action"]) == (admin.email, "api", "created")
    assert [(row["field"], row["before"], row["after"]) for row in lines[:2]] == [
        ("name", "", "'=cmd()"),
        ("phone", "", "1"),
    ]


def test_it_can_be_made_again(app: Flask, session: Session, admin: User) -> None:
    save("brands", {"name": "Acme"})
    first = request_changes(admin, ChangeFilter(resource="brands")).id
    carry_out(first, exports.run_export)
    again = run_again(admin, look_at(first).task_id).id
    carry_out(again, exports.run_export)
    assert [row["record"] for row in read_file(again)] == ["Acme"]


def test_only_administrators_may_ask(session: Session, editor: User) -> None:
    with pytest.raises(Forbidden):
        request_changes(editor, ChangeFilter())
