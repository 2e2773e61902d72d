"""Once a minute: missed slots are caught up, and what nobody needs any more is swept away."""

from datetime import UTC, datetime, timedelta

from huey import crontab

from tasks.metrics import refresh_metrics
from tasks.queue import huey, job_task, run_slot
from webapp.services import maintenance, periodic
from webapp.services.job_protocol import JobRun

EVERY = timedelta(minutes=1)


@job_task("maintenance")
def maintain_async(run: JobRun) -> None:
    """Sweep expired files, orphans, old events and old system jobs."""
    maintenance.run_maintenance(run)


@huey.periodic_task(crontab(minute="*"), name="keep_house", retries=0)
def keep_house() -> None:
    """Run this minute's sweep, and the newest metrics slot if it was missed."""
    now = datetime.now(UTC)
    run_slot("maintenance", periodic.floor_slot(now, EVERY), "maintenance", maintenance.run_maintenance)
    run_slot("metrics", periodic.floor_slot(now, periodic.METRICS_EVERY), "metrics", refresh_metrics)
