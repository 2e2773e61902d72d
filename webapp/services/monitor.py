"""The monitor's questions, read-only and for administrators.

What can be done to jobs is in ``job_actions``, to schedules in ``schedules``. Pages listen to
``live.JOBS_CHANGED`` and ``live.LOGS_ADDED``, both for ``role:admin``, and ask again.
"""

from webapp.services.monitor_failures import list_failures
from webapp.services.monitor_job import get_attempts, get_job_detail
from webapp.services.monitor_lists import (
    COUNT_CAP,
    FilterChoices,
    count_matching,
    list_choices,
    list_jobs,
    list_own_jobs,
)
from webapp.services.monitor_logs import LEVELS, list_logs
from webapp.services.monitor_overview import describe_overview, get_overview
from webapp.services.monitor_types import SHOWN_STATES, JobFilter
from webapp.services.monitor_workers import list_consumers
from webapp.services.schedules import list_schedules

__all__ = [
    "COUNT_CAP",
    "LEVELS",
    "SHOWN_STATES",
    "FilterChoices",
    "JobFilter",
    "count_matching",
    "describe_overview",
    "get_attempts",
    "get_job_detail",
    "get_overview",
    "list_choices",
    "list_consumers",
    "list_failures",
    "list_jobs",
    "list_logs",
    "list_own_jobs",
    "list_schedules",
]
