"""Jobs that newer code has asked for or begun, seen by code of before."""

import pytest

from tests.support.databases import on_both_databases
from tests.support.jobs import ask, change, claim, look_at, lose_worker
from webapp.models.clock import db_now
from webapp.services import job_protocol, job_rescue, job_versions

DAY_AND_A_BIT = 25 * 60 * 60

pytestmark = pytest.mark.usefixtures("session")


@on_both_databases
def test_a_job_of_newer_code_is_taken_by_newer_code_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = ask(task_type="import")
    change(job_id, body_version=2)
    assert job_protocol.claim_job(job_id, "old", lambda: False) is None
    assert job_rescue.find_due_job(["import"]) is None
    monkeypatch.setitem(job_versions.BODY_VERSIONS, "import", 2)
    assert job_rescue.find_due_job(["import"]) is not None
    assert claim(job_id).token == 1


@on_both_databases
def test_who_takes_a_job_stamps_it_with_how_it_will_write_it(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, other = ask(task_type="import"), ask(task_type="export")
    monkeypatch.setitem(job_versions.BODY_VERSIONS, "import", 2)
    assert look_at(ask(task_type="import")).body_version == 2
    for job_id in (begun, other):
        claim(job_id)
        lose_worker(job_id)
    assert (look_at(begun).body_version, look_at(other).body_version) == (2, 1)
    monkeypatch.delitem(job_versions.BODY_VERSIONS, "import")
    assert job_protocol.claim_job(begun, "old", lambda: False) is None
    assert claim(other).token == 2


def test_a_job_that_no_newer_code_comes_for_ends_after_a_day() -> None:
    job_id = ask(task_type="export")
    change(job_id, body_version=2, code_version="99.0.0", run_after=db_now(-3600))
    assert job_rescue.end_unknown_jobs(["export"]) == 0
    change(job_id, run_after=db_now(-DAY_AND_A_BIT))
    assert job_rescue.end_unknown_jobs(["export"]) == 1
    assert "version 99.0.0 asked for" in (look_at(job_id).error_message or "")
