"""The task of exports."""

from tasks.queue import job_task
from webapp.services import exports
from webapp.services.job_protocol import JobRun


@job_task("export")
def export_data_async(run: JobRun) -> None:
    """Build the file of an export."""
    exports.run_export(run)
