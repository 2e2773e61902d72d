"""The job that refreshes the dashboard's numbers."""

from webapp import live
from webapp.models.base import utc_now
from webapp.services import metrics
from webapp.services.job_protocol import JobRun


def run_metrics(run: JobRun) -> None:
    """Compute every metric from one moment's data, store them all at once, and tell open pages."""
    now = utc_now()
    values = metrics.compute_metrics(now)
    with run.batch() as session:
        metrics.store_metrics(session, values, now)
        live.publish(session, live.EVERYONE, live.METRICS_UPDATED, {"computed_at": now.isoformat()})
        run.complete(session, record_count=len(values))
    metrics.mirror_to_redis(values, now)
