"""The tasks of imports: understand a file, then save its rows."""

from tasks.queue import job_task
from webapp.services import imports
from webapp.services.job_protocol import JobRun


@job_task("import_inspect")
def inspect_import_async(run: JobRun) -> None:
    """Find out what an uploaded file is, and propose a mapping."""
    imports.run_inspect(run)


@job_task("import")
def import_data_async(run: JobRun) -> None:
    """Check and save every row of a file."""
    imports.run_import(run)
