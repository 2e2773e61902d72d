"""The tasks of imports: understand a file, check its rows, save them, take them back."""

from tasks.queue import job_task
from webapp.services import import_apply, import_check, import_inspect, import_undo
from webapp.services.job_protocol import JobRun


@job_task("import_inspect")
def inspect_import_async(run: JobRun) -> None:
    """Find out what an uploaded file is, and propose a mapping."""
    import_inspect.run_inspect(run)


@job_task("import_check")
def check_import_async(run: JobRun) -> None:
    """Find out what saving every row of a file would do."""
    import_check.run_check(run)


@job_task("import")
def import_data_async(run: JobRun) -> None:
    """Check and save every row of a file."""
    import_apply.run_import(run)


@job_task("import_undo")
def undo_import_async(run: JobRun) -> None:
    """Take back what an import has saved."""
    import_undo.run_undo(run)
