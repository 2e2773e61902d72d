"""Once a minute: saved exports start at their hours, missed slots are caught up, and what nobody needs goes."""

from collections.abc import Callable
from datetime import UTC, datetime

from huey import crontab

from tasks.metrics import refresh_metrics
from tasks.queue import huey, in_app, job_task, run_slot
from webapp.services import maintenance, retention, scheduled_exports
from webapp.services.job_protocol import JobRun
from webapp.services.periodic import SCHEDULES


@job_task("maintenance")
def maintain_async(run: JobRun) -> None:
    """Sweep expired files, orphans, old events and old system jobs."""
    maintenance.run_maintenance(run)


@job_task("prune")
def prune_async(run: JobRun) -> None:
    """Sweep old jobs with their files, and old log lines."""
    retention.run_prune(run)


BODIES: dict[str, Callable[[JobRun], None]] = {
    "metrics": refresh_metrics,
    "maintenance": maintenance.run_maintenance,
    "prune": retention.run_prune,
}


@huey.periodic_task(crontab(minute="*"), name="keep_house", retries=0)
def keep_house() -> None:
    """Run the newest slot of every schedule, unless it was run: also what a stopped house missed.

    People's exports come first: they only start jobs, while the house's own work is done here.
    """
    now = datetime.now(UTC)
    with in_app():
        scheduled_exports.run_due(now)
    for schedule in SCHEDULES.values():
        run_slot(schedule.name, schedule.find_slot(now), schedule.task_type, BODIES[schedule.name])
