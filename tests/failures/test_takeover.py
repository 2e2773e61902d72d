"""An operator takes a job away at the very moment at which its worker ends it."""

import threading
import time

import pytest
from flask import Flask

from tests.support.databases import on_both_databases
from tests.support.jobs import ask, claim, look_at
from tests.support.trials import terminal_events
from webapp import live
from webapp.database import write_transaction
from webapp.errors import Conflict
from webapp.extensions import db
from webapp.models import User
from webapp.services import job_actions

pytestmark = pytest.mark.slow

LONG_ENOUGH_TO_READ = 0.5


@on_both_databases
def test_24_a_job_that_ends_while_it_is_taken_away_ends_once(app: Flask, admin: User, editor: User) -> None:
    """The row still says "processing" to whoever reads it; its worker's last transaction is open."""
    answers: list[str] = []

    def click(task_id: str) -> None:
        with app.app_context():
            try:
                job_actions.force_release(admin, task_id)
                answers.append("done")
            except Conflict:
                answers.append("conflict")
            finally:
                db.session.remove()

    with app.app_context():
        job_id = ask(editor)
        operator = threading.Thread(target=click, args=(look_at(job_id).task_id,))
        run = claim(job_id)
        with write_transaction() as session:
            run.complete(session)
            operator.start()
            time.sleep(LONG_ENOUGH_TO_READ)
        operator.join()
        job = look_at(job_id)
        assert (job.status, job.token, answers) == ("completed", 1, ["conflict"])
        assert terminal_events(job) == [live.JOB_COMPLETED]
        db.session.remove()
