"""The refresh of the dashboard's numbers, every five minutes."""

from datetime import UTC, datetime

from huey import crontab

from tasks.queue import TASKS, huey, run_job, run_slot
from webapp.services import metrics_job, periodic
from webapp.services.job_protocol import JobRun


def refresh_metrics(run: JobRun) -> None:
    """Compute all metrics and put them where the dashboard reads them."""
    metrics_job.run_metrics(run)


@huey.periodic_task(crontab(minute="*/5"), name="update_dashboard_metrics_cache", retries=0)
def update_dashboard_metrics_cache(notification_id: int | None = None) -> None:
    """Refresh the cache: once for each slot, however many consumers run; or one asked-for refresh."""
    if notification_id is not None:
        run_job(notification_id, None, refresh_metrics)
        return
    slot = periodic.floor_slot(datetime.now(UTC), periodic.METRICS_EVERY)
    run_slot("metrics", slot, "metrics", refresh_metrics)


TASKS["metrics"] = update_dashboard_metrics_cache
