"""Everything as one job, as the command line and the API have it: inspect, check, apply."""

from sqlalchemy import update

from webapp.errors import Invalid
from webapp.models import DataImport
from webapp.resources.registry import get_resource
from webapp.services.import_check import check_all, keep_report
from webapp.services.import_inspect import inspect_file
from webapp.services.import_mapping import check_mapping
from webapp.services.import_source import RowSource
from webapp.services.imports import describe_bad_rows, describe_repeat, find_same_file
from webapp.services.job_protocol import JobRun
from webapp.services.stock import DIRECTIONS


def prepare(run: JobRun, data_import: DataImport) -> None:
    """Inspect the file, and take the mapping that was sent with it, or the proposed one."""
    mapping = data_import.mapping
    found = inspect_file(data_import, data_import.overrides)
    found["mapping"] = mapping or found["mapping"]
    with run.batch() as session:
        session.execute(
            update(DataImport).where(DataImport.id == data_import.id).values(**found, state="applying")
        )
        session.expire_all()
    rules = check_mapping(data_import, found["mapping"])
    resource = get_resource(data_import.resource)
    # With a reference the rows that are in stay as they are; without one each would be a movement more.
    would_double = resource.name in DIRECTIONS and resource.key[0] not in rules
    if would_double and not run.params.get("confirm_repeat") and (same := find_same_file(data_import)):
        raise Invalid({"confirm": describe_repeat(same)})


def try_out(run: JobRun, source: RowSource) -> None:
    """For a dry run: check every row against the database, and write nothing but the report."""
    report = check_all(run, source)
    with run.batch() as session:
        keep_report(session, run, report, state="checked")
        run.complete(session, record_count=0, total=run.processed)


def refuse_bad_rows(run: JobRun, source: RowSource) -> None:
    """For “only if all rows are good”: check the whole file first, and fail before anything is written."""
    report = check_all(run, source)
    if failed := run.counts["failed"]:
        with run.batch(is_progress=False) as session:  # the person may decide again
            keep_report(session, run, report, state="checked")
        raise describe_bad_rows(failed)
    run.counts = dict.fromkeys(run.counts, 0)
    run.processed = 0
