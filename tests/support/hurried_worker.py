"""The worker with the schedule of the metrics shortened to two seconds: put that in place of five minutes, no more."""

import logging
from datetime import timedelta

from huey.consumer import Scheduler

from tasks.metrics import update_dashboard_metrics_cache
from tasks.worker import app, huey
from webapp.services import periodic

__all__ = ["app", "huey"]

EVERY_SECONDS = 2

log = logging.getLogger(__name__)

periodic.METRICS_EVERY = timedelta(seconds=EVERY_SECONDS)
Scheduler.periodic_task_seconds = EVERY_SECONDS


def is_due(_task: object, _moment: object) -> bool:
    """Say yes, and tell the test that this consumer has put the task on the queue."""
    log.info("tick")
    return True


update_dashboard_metrics_cache.task_class.validate_datetime = is_due
