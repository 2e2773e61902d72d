"""Waiting for the end of a job, as a script does that has nothing else to do."""

import time

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import FINAL_STATUSES, TaskNotification, User
from webapp.services import jobs

LOOK_SECONDS = 0.25


def wait_for_end(actor: User, task_id: str, seconds: float) -> TaskNotification:
    """Return a job once it has ended, or as it is after so many seconds. NotFound when it is not the actor's.

    Between two looks no connection is held: however many wait, the others have theirs.
    """
    job = jobs.get_job(actor, task_id)
    deadline = time.monotonic() + seconds
    status: str | None = job.status
    while status is not None and status not in FINAL_STATUSES and time.monotonic() < deadline:
        db.session.remove()
        time.sleep(min(LOOK_SECONDS, max(0, deadline - time.monotonic())))
        status = db.session.scalar(select(TaskNotification.status).where(TaskNotification.task_id == task_id))
    if seconds:
        db.session.expire_all()
    return jobs.get_job(actor, task_id)
