"""What can be done to jobs: who may, what changes, what is kept of it."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.jobs import ask, carry_out, change, claim, heard_bells, look_at, outcomes
from webapp.database import write_transaction
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.extensions import db
from webapp.models import Change, JobAttempt, JobLog, TaskNotification, User
from webapp.models.clock import db_now
from webapp.services import bulk_actions, files, job_actions, job_protocol, jobs
from webapp.services.job_protocol import JobRun, LeaseLost
from webapp.services.monitor_types import ActionResult, JobFilter

pytestmark = on_both_databases


def ended(actor: User | None, status: str = "failed", **options: object) -> int:
    """Make a job that has ended."""
    job_id = ask(actor, **options)  # type: ignore[arg-type]
    change(job_id, status=status, completed_at=db_now(0))
    return job_id


def names(*job_ids: int) -> list[str]:
    """The public ids of jobs."""
    return [look_at(job_id).task_id for job_id in job_ids]


def audit() -> list[tuple[str, str, int, int | None]]:
    """What the audit kept: resource, action, record, actor."""
    db.session.rollback()
    query = select(Change.resource, Change.action, Change.record_id, Change.actor_id).order_by(Change.id)
    return [tuple(row) for row in db.session.execute(query)]  # type: ignore[misc]


def test_ticked_jobs_are_retried_and_the_others_are_skipped(
    session: Session, editor: User, stranger: User
) -> None:
    mine, running, foreign = ended(editor), ask(editor), ended(stranger)
    asked = [*names(mine, running, foreign), "no such job"]
    with heard_bells() as rung:
        result = job_actions.retry_many(editor, task_ids=asked)
    assert (result, rung) == (ActionResult(1, 3), [mine])
    assert (look_at(mine).status, look_at(foreign).status) == ("pending", "failed")
    assert audit() == [("jobs", "retry", mine, editor.id)]


def test_all_that_match_are_retried_if_no_more_match_than_were_shown(session: Session, admin: User) -> None:
    made = [ended(admin, task_type="export") for _ in range(3)]
    other = ended(admin, task_type="import")
    wanted = JobFilter(state="failed", task_type="export")
    with pytest.raises(Conflict):
        job_actions.retry_many(admin, job_filter=wanted, expected=2)
    assert job_actions.retry_many(admin, job_filter=wanted, expected=3) == ActionResult(3, 0)
    assert {look_at(job_id).status for job_id in made} == {"pending"}
    assert look_at(other).status == "failed"


def test_a_filter_of_a_user_reaches_their_own_jobs_only(
    session: Session, editor: User, stranger: User
) -> None:
    mine, foreign = ended(editor), ended(stranger)
    result = job_actions.delete_many(editor, job_filter=JobFilter(user_id=stranger.id))
    assert result == ActionResult(1, 0)
    assert db.session.get(TaskNotification, mine) is None
    assert look_at(foreign).status == "failed"


def test_a_retry_beside_an_active_twin_is_skipped_and_the_rest_is_done(
    session: Session, editor: User
) -> None:
    twin, other = ended(editor, queue_key="same"), ended(editor)
    ask(editor, queue_key="same")
    assert job_actions.retry_many(editor, task_ids=names(twin, other)) == ActionResult(1, 1)
    assert (look_at(twin).status, look_at(other).status) == ("failed", "pending")


def test_many_are_cancelled_at_once_or_asked_to_stop(session: Session, editor: User) -> None:
    waiting, running, done = ask(editor), ask(editor), ended(editor, "completed")
    claim(running)
    assert job_actions.cancel_many(editor, task_ids=names(waiting, running, done)) == ActionResult(2, 1)
    assert look_at(waiting).status == "cancelled"
    assert look_at(running).cancel_requested_at is not None


def test_a_cancellation_is_news_to_an_owner_who_did_not_ask_for_it(
    session: Session, admin: User, editor: User
) -> None:
    own, one, many, system = (ask(actor) for actor in (editor, editor, editor, None))
    jobs.cancel_job(editor, *names(own))
    assert jobs.count_unread(editor) == 0
    jobs.cancel_job(admin, *names(one))
    job_actions.cancel_many(admin, task_ids=names(many, system))
    assert [look_at(job_id).is_read for job_id in (own, one, many, system)] == [True, False, False, True]
    assert jobs.count_unread(editor) == 2


def test_more_jobs_than_one_transaction_holds(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_actions, "CHUNK", 2)
    made = [ask(editor) for _ in range(5)]
    assert job_actions.cancel_many(editor, task_ids=names(*made)) == ActionResult(5, 0)


def test_a_deleted_job_leaves_nothing_behind_but_the_audit(session: Session, editor: User) -> None:
    job_id = ask(editor)
    path = files.new_path("exports", "csv")

    def body(run: JobRun) -> None:
        with files.open_for_writing(path) as file:
            file.write(b"x")
        with run.batch() as writing:
            run.complete(writing, file_path=path)
            writing.add(JobLog(job_id=job_id, level="INFO", message="hello"))

    carry_out(job_id, body)
    job_actions.delete_job(editor, *names(job_id))
    db.session.rollback()
    assert not files.is_kept(path)
    for table in (TaskNotification, JobAttempt, JobLog):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
    assert audit() == [("jobs", "delete", job_id, editor.id)]


@pytest.mark.parametrize("action", [job_actions.delete_job, job_actions.run_again])
def test_what_goes_on_is_neither_deleted_nor_repeated(
    session: Session, editor: User, action: Callable[[User, str], object]
) -> None:
    job_id = ask(editor)
    with pytest.raises(Conflict):
        action(editor, *names(job_id))


@pytest.mark.parametrize(
    "action", [job_actions.run_now, job_actions.run_again, job_actions.delete_job, jobs.cancel_job]
)
def test_somebody_elses_job_is_not_there(
    session: Session, editor: User, stranger: User, action: Callable[[User, str], object]
) -> None:
    job_id = ended(editor)
    with pytest.raises(NotFound):
        action(stranger, *names(job_id))


def test_a_scheduled_job_is_run_now(session: Session, editor: User) -> None:
    job_id = ask(editor, delay=600)
    with heard_bells() as rung:
        job_actions.run_now(editor, *names(job_id))
    assert rung == [job_id]
    claim(job_id)
    with pytest.raises(Conflict):
        job_actions.run_now(editor, *names(job_id))
    assert audit() == [("jobs", "run_now", job_id, editor.id)]


def test_an_export_is_run_again_as_a_job_of_its_own(session: Session, admin: User, editor: User) -> None:
    asked = {"fields": ["name"], "filters": {"q": "acme"}, "sort": "-name", "language": "pt_BR"}
    params = asked | {"options": {"gzip": True}, "notes": [{"message": "of the old run"}]}
    old = ended(
        editor, "completed", task_type="export", model_name="brands", file_format="json", params=params
    )
    made = job_actions.run_again(admin, *names(old))
    assert made.id != old
    assert (made.status, made.user_id) == ("pending", admin.id)
    assert made.params == asked | {"options": {"numbers": "string", "gzip": True}}
    assert (made.model_name, made.file_format) == ("brands", "json")


def test_an_import_is_not_repeated_behind_its_pages_back(session: Session, editor: User) -> None:
    job_id = ended(editor, "completed", task_type="import")
    with pytest.raises(Conflict):
        job_actions.run_again(editor, *names(job_id))


def test_a_job_taken_by_force_waits_again_and_its_worker_is_fenced(
    session: Session, admin: User, editor: User
) -> None:
    job_id = ask(editor)
    run = claim(job_id)
    with pytest.raises(Forbidden):
        job_actions.force_release(editor, *names(job_id))
    with heard_bells() as rung:
        job_actions.force_release(admin, *names(job_id))
    job = look_at(job_id)
    assert (job.status, job.attempt, job.crashes, job.lease_until, rung) == ("pending", 0, 0, None, [job_id])
    with pytest.raises(LeaseLost), run.batch():
        pass
    again = claim(job_id)
    job_protocol.carry_out(run, lambda _: None)  # the old worker comes to its end
    assert (look_at(job_id).status, look_at(job_id).token) == ("processing", again.token)
    assert outcomes(job_id) == ["forced", None]


def test_a_job_whose_end_was_asked_for_is_cancelled_by_force(
    session: Session, admin: User, editor: User
) -> None:
    job_id = ask(editor)
    claim(job_id)
    jobs.cancel_job(editor, *names(job_id))
    job_actions.force_release(admin, *names(job_id))
    assert look_at(job_id).status == "cancelled"
    assert [row[1] for row in audit()] == ["cancel", "force_release"]


def test_single_actions_are_kept_in_the_audit(session: Session, editor: User) -> None:
    job_id = ask(editor)
    jobs.cancel_job(editor, *names(job_id))
    jobs.retry_job(editor, *names(job_id))
    assert [row[1] for row in audit()] == ["cancel", "retry"]


def test_nothing_is_kept_of_what_was_rolled_back(session: Session, editor: User) -> None:
    job_id = ended(editor)
    with pytest.raises(RuntimeError), write_transaction():
        job_actions.retry_many(editor, task_ids=names(job_id))
        raise RuntimeError
    assert (look_at(job_id).status, audit()) == ("failed", [])
