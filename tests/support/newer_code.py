"""A worker of newer code: another version, whose imports remember where they are in a shape that old code cannot read."""

from typing import Any

from sqlalchemy.orm import Session

from webapp import version
from webapp.models import TaskNotification
from webapp.services import job_versions
from webapp.services.job_protocol import JobRun


def become_newer(number: str) -> None:
    """Let this process be one that was started after the deployment of that version."""
    version._VERSION = number
    job_versions.BODY_VERSIONS["import"] = 2
    begin, save = JobRun.__init__, JobRun._save

    def begin_newer(run: JobRun, job: TaskNotification, *arguments: Any) -> None:
        begin(run, job, *arguments)
        if "position" in run.checkpoint:
            run.checkpoint = {"line": run.checkpoint["position"]["line"]}

    def save_newer(run: JobRun, session: Session, **values: Any) -> None:
        if run.task_type == "import" and values.get("checkpoint"):
            values["checkpoint"] = {"position": values["checkpoint"]}
        save(run, session, **values)

    JobRun.__init__ = begin_newer  # type: ignore[method-assign, assignment]
    JobRun._save = save_newer  # type: ignore[method-assign, assignment]
