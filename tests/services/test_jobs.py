"""Jobs as people see them: asked for once, listed, read, cancelled, tried again."""

import pytest
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.jobs import ask, carry_out, change, claim, event_names, heard_bells, look_at
from webapp import live
from webapp.database import write_transaction
from webapp.errors import Conflict, NotFound
from webapp.models import User
from webapp.models.clock import db_now
from webapp.services import jobs
from webapp.services.job_protocol import JobRun

pytestmark = on_both_databases


def nothing(_run: JobRun) -> None:
    """The body of a job that has nothing to do."""


def test_a_job_rings_after_its_row_is_committed(session: Session, editor: User) -> None:
    with heard_bells() as rung:
        with write_transaction() as writing:
            job = jobs.create_job(writing, "export", actor=editor)
            assert rung == []
        assert rung == [job.id]


def test_a_job_that_was_rolled_back_never_rings(session: Session, editor: User) -> None:
    with heard_bells() as rung, pytest.raises(RuntimeError), write_transaction() as writing:
        jobs.create_job(writing, "export", actor=editor)
        raise RuntimeError
    assert rung == []
    assert jobs.list_jobs(editor) == []


def test_a_job_for_later_waits_for_its_time(session: Session, editor: User) -> None:
    with heard_bells() as rung:
        job_id = ask(editor, delay=60)
    carry_out(job_id, nothing)
    assert (rung, look_at(job_id).status) == ([], "pending")


def test_a_double_click_asks_once(session: Session, editor: User) -> None:
    with heard_bells() as rung:
        first, second = ask(editor, queue_key="same"), ask(editor, queue_key="same")
    assert (first == second, rung) == (True, [first])


def test_a_finished_job_makes_room_for_the_next_with_its_key(session: Session, editor: User) -> None:
    first = ask(editor, queue_key="same")
    assert ask(editor, queue_key="same") == first
    carry_out(first, nothing)
    assert ask(editor, queue_key="same") != first


def test_a_job_inserted_as_claimed_rings_for_nobody_and_can_be_taken_by_nobody(session: Session) -> None:
    with heard_bells() as rung:
        job_id = ask(claimed_by="the command line")
    job = look_at(job_id)
    assert (job.status, job.lease_owner, job.token, rung) == ("processing", "the command line", 1, [])
    carry_out(job_id, nothing)
    assert look_at(job_id).status == "processing"


def test_a_job_belongs_to_its_user_and_to_administrators(
    session: Session, editor: User, stranger: User, admin: User
) -> None:
    task_id = look_at(ask(editor)).task_id
    assert jobs.get_job(editor, task_id).task_id == task_id
    assert jobs.get_job(admin, task_id).task_id == task_id
    for attempt in (jobs.get_job, jobs.cancel_job, jobs.retry_job):
        with pytest.raises(NotFound):
            attempt(stranger, task_id)


def test_a_list_shows_ones_own_jobs_newest_first_and_goes_on_below(
    session: Session, editor: User, stranger: User
) -> None:
    mine = [ask(editor) for _ in range(3)]
    ask(stranger)
    assert [job.id for job in jobs.list_jobs(editor)] == mine[::-1]
    assert [job.id for job in jobs.list_jobs(editor, before_id=mine[2], limit=1)] == [mine[1]]


def test_an_ended_job_is_news_until_it_is_read(session: Session, editor: User, stranger: User) -> None:
    job_id = ask(editor)
    assert jobs.count_unread(editor) == 0
    carry_out(job_id, nothing)
    assert (jobs.count_unread(editor), jobs.count_unread(stranger)) == (1, 0)
    with pytest.raises(NotFound):
        jobs.read_job(stranger, look_at(job_id).task_id)
    assert jobs.count_unread(editor) == 1
    jobs.read_job(editor, look_at(job_id).task_id)
    assert jobs.count_unread(editor) == 0


def test_everything_can_be_read_at_once(session: Session, editor: User) -> None:
    for _ in range(2):
        carry_out(ask(editor), nothing)
    jobs.read_all(editor)
    assert jobs.count_unread(editor) == 0
    assert len(jobs.list_notifications(editor)) == 2


def test_a_running_job_cannot_be_read_beforehand(session: Session, editor: User) -> None:
    job_id = ask(editor)
    claim(job_id)
    jobs.read_job(editor, look_at(job_id).task_id)
    assert look_at(job_id).is_read is False


def test_an_inspection_is_no_news_unless_it_fails(session: Session, editor: User) -> None:
    job_id = ask(editor, "import_inspect")
    carry_out(job_id, nothing)
    assert list(jobs.list_notifications(editor)) == []
    change(job_id, status="failed")
    assert [job.id for job in jobs.list_notifications(editor)] == [job_id]


def test_a_waiting_job_is_cancelled_at_once(session: Session, editor: User) -> None:
    job_id = ask(editor)
    assert jobs.cancel_job(editor, look_at(job_id).task_id).status == "cancelled"
    assert event_names()[-1] == live.JOB_CANCELLED
    carry_out(job_id, nothing)
    assert look_at(job_id).status == "cancelled"


def test_a_running_job_is_asked_to_stop(session: Session, editor: User) -> None:
    job_id = ask(editor)
    claim(job_id)
    job = jobs.cancel_job(editor, look_at(job_id).task_id)
    assert (job.status, job.cancel_requested_at is not None) == ("processing", True)


@pytest.mark.parametrize("action", [jobs.cancel_job, jobs.retry_job])
def test_a_completed_job_can_neither_be_cancelled_nor_tried_again(
    session: Session, editor: User, action: object
) -> None:
    job_id = ask(editor)
    carry_out(job_id, nothing)
    with pytest.raises(Conflict):
        action(editor, look_at(job_id).task_id)  # type: ignore[operator]
    assert look_at(job_id).status == "completed"


def test_a_failed_job_gets_a_fresh_set_of_tries(session: Session, editor: User) -> None:
    job_id = ask(editor)
    change(
        job_id, status="failed", attempt=4, crashes=2, error_message="!", failure_kind="error", is_read=True
    )
    with heard_bells() as rung:
        jobs.retry_job(editor, look_at(job_id).task_id)
    job = look_at(job_id)
    assert (job.status, job.attempt, job.crashes, job.error_message, job.is_read) == (
        "pending",
        0,
        0,
        None,
        False,
    )
    assert rung == [job_id]


def test_a_second_click_on_retry_changes_nothing(session: Session, editor: User) -> None:
    job_id = ask(editor)
    change(job_id, status="failed")
    jobs.retry_job(editor, look_at(job_id).task_id)
    with pytest.raises(Conflict):
        jobs.retry_job(editor, look_at(job_id).task_id)


def test_a_job_is_not_tried_again_beside_an_active_one_with_its_key(session: Session, editor: User) -> None:
    old = ask(editor, queue_key="same")
    change(old, status="failed", completed_at=db_now(0))
    new = ask(editor, queue_key="same")
    with pytest.raises(Conflict):
        jobs.retry_job(editor, look_at(old).task_id)
    assert (look_at(old).status, look_at(new).status) == ("failed", "pending")
