"""Old jobs go with all that hangs on them; the rest stays."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.jobs import ask, carry_out, change, look_at
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import JobLog, TaskNotification, User
from webapp.models.clock import db_now
from webapp.services import files, retention
from webapp.services.retention import PruneRule

pytestmark = on_both_databases
DAY = 24 * 3600


def ended(actor: User, days: int, status: str = "completed", **values: object) -> int:
    """Make a job that ended so many days ago."""
    job_id = ask(actor)
    change(job_id, status=status, completed_at=db_now(-days * DAY), **values)
    return job_id


def left() -> list[int]:
    """The ids of the jobs that are there."""
    db.session.rollback()
    return list(db.session.scalars(select(TaskNotification.id).order_by(TaskNotification.id)))


def test_a_rule_takes_what_it_says_and_a_dry_run_nothing(session: Session, editor: User) -> None:
    old_read, old_failed = ended(editor, 31, is_read=True), ended(editor, 31, "failed")
    new, active = ended(editor, 29), ask(editor)
    month = timedelta(days=30)
    assert retention.count_prunable(PruneRule(month)) == 2
    assert retention.prune_jobs(PruneRule(month, status="completed", only_read=True)) == 1
    assert left() == [old_failed, new, active]
    assert retention.prune_jobs(PruneRule(month)) == 1
    assert left() == [new, active]
    assert old_read not in left()


def test_more_than_one_transaction_holds(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    for _ in range(5):
        ended(editor, 31)
    assert retention.prune_jobs(PruneRule(timedelta(days=30))) == 5


def test_the_nightly_sweep_takes_jobs_files_and_lines(session: Session, editor: User) -> None:
    path = files.new_path("exports", "csv")
    with files.open_for_writing(path) as file:
        file.write(b"x")
    old = ended(editor, 31, file_path=path)
    with write_transaction() as writing:
        writing.add(JobLog(job_id=old, level="INFO", message="of the job"))
        writing.add(JobLog(at=db_now(-8 * DAY), level="INFO", message="old"))
        writing.add(JobLog(level="INFO", message="new"))
    sweep = ask(task_type="prune")
    carry_out(sweep, retention.run_prune)
    assert (look_at(sweep).status, look_at(sweep).record_count) == ("completed", 2)
    assert left() == [sweep]
    assert not files.is_kept(path)
    assert list(db.session.scalars(select(JobLog.message))) == ["new"]


def test_zero_days_keep_everything(make_app: Any, editor: User) -> None:
    with make_app(JOB_KEEP_DAYS="0").app_context():
        old = ended(editor, 9999)
        carry_out(ask(task_type="prune"), retention.run_prune)
        assert old in left()
