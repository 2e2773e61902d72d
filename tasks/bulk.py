"""The tasks of many records at once."""

from tasks.queue import job_task
from webapp.services import bulk_jobs
from webapp.services.job_protocol import JobRun


@job_task(bulk_jobs.DELETE)
def delete_records_async(run: JobRun) -> None:
    """Delete all that the filters of a list leave."""
    bulk_jobs.run_bulk(run)


@job_task(bulk_jobs.EDIT)
def edit_records_async(run: JobRun) -> None:
    """Set one field of all that the filters of a list leave."""
    bulk_jobs.run_bulk(run)
