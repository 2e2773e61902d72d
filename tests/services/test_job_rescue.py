"""Jobs that no message brings: found in the table, or ended because nobody knows them."""

import pytest
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.jobs import ask, change, event_names, look_at
from webapp import live
from webapp.models import User
from webapp.models.clock import db_now
from webapp.services import jobs
from webapp.services.job_rescue import (
    NEWER_WAITS_SECONDS,
    UNKNOWN_WAITS_SECONDS,
    end_unknown_jobs,
    find_due_job,
    may_be_newer,
)
from webapp.version import get_version

KNOWN = {"export", "import"}


@on_both_databases
def test_the_job_that_has_been_due_longest_is_found_first(session: Session, editor: User) -> None:
    ask(editor, delay=60)
    late, early, unknown = ask(editor), ask(editor), ask(editor, "mystery")
    change(late, run_after=db_now(-5))
    change(early, run_after=db_now(-9))
    change(unknown, run_after=db_now(-20))
    found = find_due_job(KNOWN)
    assert found is not None
    assert found.id == early


def test_what_waits_for_its_time_or_runs_is_not_found(session: Session, editor: User) -> None:
    ask(editor, delay=60)
    ask(editor, claimed_by="somebody")
    assert find_due_job(KNOWN) is None


@on_both_databases
def test_a_job_of_an_unknown_type_fails_with_a_sentence(session: Session, editor: User) -> None:
    job_id, known = ask(editor, "mystery"), ask(editor)
    for each in (job_id, known):
        change(each, run_after=db_now(-UNKNOWN_WAITS_SECONDS - 1))
    assert end_unknown_jobs(KNOWN) == 1
    job = look_at(job_id)
    assert (job.status, job.failure_kind, job.is_read, job.completed_at is None) == (
        "failed",
        "error",
        False,
        False,
    )
    assert "a job of the type “mystery”" in str(job.error_message)
    assert event_names(live.user_audience(editor.id)).count(live.JOB_FAILED) == 1
    assert jobs.count_unread(editor) == 1
    assert look_at(known).status == "pending"


def test_it_is_given_time(session: Session, editor: User) -> None:
    job_id = ask(editor, "mystery")
    assert end_unknown_jobs(KNOWN) == 0
    assert look_at(job_id).status == "pending"


def test_old_code_leaves_the_jobs_of_newer_code_alone_for_a_day(session: Session, editor: User) -> None:
    job_id = ask(editor, "mystery")
    change(job_id, code_version="999.0.0+00000000", run_after=db_now(-UNKNOWN_WAITS_SECONDS - 1))
    assert end_unknown_jobs(KNOWN) == 0
    change(job_id, run_after=db_now(-NEWER_WAITS_SECONDS - 1))
    assert end_unknown_jobs(KNOWN) == 1
    assert "version 999.0.0+00000000 asked for" in str(look_at(job_id).error_message)


@pytest.mark.parametrize("version", ["1.10.0+aaaaaaaa", "2.0", "1.9.0+aaaaaaaa"])
def test_a_higher_number_or_another_build_may_be_newer(version: str) -> None:
    assert may_be_newer(version, "1.9.0+12345678")


@pytest.mark.parametrize("version", ["1.9.0+12345678", "1.8.12+99999999", "0.9", None])
def test_the_same_build_and_a_lower_number_are_not_newer(version: str | None) -> None:
    assert not may_be_newer(version, "1.9.0+12345678")


def test_the_own_version_is_not_newer() -> None:
    assert not may_be_newer(get_version(), get_version())
