"""The job that refreshes the dashboard's numbers."""

from sqlalchemy import update

from webapp import live
from webapp.models import TaskNotification
from webapp.models.base import utc_now
from webapp.services import metrics, metrics_refresh
from webapp.services.job_protocol import JobRun


def run_metrics(run: JobRun) -> None:
    """Compute every metric from one moment's data, store them all at once, and tell open pages."""
    _give_key_back(run)
    now = utc_now()
    values = metrics.compute_metrics(now)
    with run.batch() as session:
        metrics.store_metrics(session, values, now)
        live.publish(session, live.EVERYONE, live.METRICS_UPDATED, {"computed_at": now.isoformat()})
        run.complete(session, record_count=len(values))
    metrics.mirror_to_redis()


def _give_key_back(run: JobRun) -> None:
    """Let what changes from now on ask for a refresh of its own: this one may not see it any more."""
    with run.batch() as session:
        session.execute(
            update(TaskNotification)
            .where(TaskNotification.id == run.id, TaskNotification.queue_key == metrics_refresh.ACTIVE_KEY)
            .values(queue_key=None)
        )
