"""The commands of operators for jobs. They ask what the monitor asks and do what it does."""

import json
import re
from collections.abc import Sequence
from datetime import timedelta

import click
from flask.cli import AppGroup

from webapp.cli_support import describe_job, format_seconds, get_operator, plainly, print_job, print_table
from webapp.errors import Problem
from webapp.models import FINAL_STATUSES, User
from webapp.models.base import utc_now
from webapp.resources.base import N_
from webapp.services import job_actions, jobs, monitor, retention
from webapp.services.monitor_types import ActionResult, JobDetail, JobFilter, JobRow
from webapp.services.retention import PruneRule

jobs_group = AppGroup("jobs", help="Background jobs.")

LONGEST_AGE = timedelta(days=36_500)
_AGE = re.compile(r"(\d{1,9})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


@jobs_group.command("list")
@click.option("--state", type=click.Choice(monitor.SHOWN_STATES))
@click.option("--kind", help="Such as export or import.")
@click.option("--resource", help="Such as products.")
@click.option("--user", "email", help="The e-mail address of who asked for them.")
@click.option("--since", help="Asked for within this time, such as 24h or 7d.")
@click.option("--text", default="", help="Words of the parameters or the error, or an id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@plainly
def list_jobs(
    state: str | None,
    kind: str | None,
    resource: str | None,
    email: str | None,
    since: str | None,
    text: str,
    limit: int,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """List jobs, newest first. The options combine."""
    actor = get_operator()
    wanted = JobFilter(
        state=state,
        task_type=kind,
        model_name=resource,
        user_id=_find_user(actor, email) if email else None,
        since=utc_now() - _parse_age(since) if since else None,
        text=text,
    )
    page = monitor.list_jobs(actor, wanted, limit=limit)
    if as_json:
        told = [describe_job(row.job) | {"state": row.state} for row in page.rows]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    _print_rows(page.rows)
    if page.next_cursor:
        click.echo(f"There are more than these {limit}: give --limit, or narrow the list.", err=True)
    elif page.is_bounded:
        click.echo(
            "Only the newest jobs were searched; with --state or --kind older ones are, too.", err=True
        )


def _print_rows(rows: Sequence[JobRow]) -> None:
    heads = ("ID", "STATE", "KIND", "RESOURCE", ">ROWS", "TRY", "ASKED FOR (UTC)", "ERROR")
    cells = [
        (
            row.job.task_id,
            row.state,
            row.job.task_type,
            row.job.model_name or "-",
            str(row.job.processed or row.job.record_count or 0),
            f"{row.job.attempt}/{row.job.max_attempts}",
            f"{row.job.created_at:%Y-%m-%d %H:%M:%S}",
            (row.job.error_message or "").partition("\n")[0][:60],
        )
        for row in rows
    ]
    print_table(heads, cells, nothing="No jobs.")


def _find_user(actor: User, email: str) -> int:
    for user_id, known in monitor.list_choices(actor).users:
        if known.casefold() == email.casefold():
            return user_id
    raise Problem(N_("There is no user “%(email)s”."), N_("Write the whole e-mail address."), email=email)


@jobs_group.command("show")
@click.argument("task_id")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@plainly
def show_job(task_id: str, as_json: bool) -> None:  # noqa: FBT001 - click
    """Show one job with its tries."""
    actor = get_operator()
    if as_json:
        print_job(jobs.get_job(actor, task_id))
        return
    detail = monitor.get_job_detail(actor, task_id)
    for name, value in _tell(detail):
        click.echo(f"{name:12}{value}")
    click.echo()
    heads = ("TRY", "OUTCOME", "STARTED (UTC)", "TOOK", "WORKER", "ERROR")
    tries = [
        (
            str(attempt.record.attempt),
            attempt.record.outcome or detail.row.state,
            f"{attempt.record.started_at:%Y-%m-%d %H:%M:%S}",
            format_seconds(attempt.seconds),
            f"{attempt.host} {attempt.pid or ''}".strip() or "-",
            (attempt.record.error_message or "").partition("\n")[0],
        )
        for attempt in detail.attempts
    ]
    print_table(heads, tries, nothing="It has not started yet.")


def _tell(detail: JobDetail) -> list[tuple[str, object]]:
    """Return what there is to say of a job, line by line."""
    row, job = detail.row, detail.row.job
    lines = [
        ("id", job.task_id),
        ("state", f"{row.state}, no progress" if row.is_stuck else row.state),
        ("kind", f"{job.task_type} {job.model_name or ''}".strip()),
        ("asked by", job.user.email if job.user else "the system"),
        ("asked for", f"{job.created_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("waited", format_seconds(row.wait_seconds)),
        ("ran", format_seconds(row.run_seconds)),
        ("rows", f"{job.processed} of {job.total}" if job.total else job.processed or job.record_count),
        ("counts", _tell_counts(detail)),
        ("crashes", job.crashes),
        ("file", f"{job.file_path} ({job.file_size} bytes)" if job.file_path else ""),
        ("error", job.error_message),
        ("version", job.code_version),
        ("params", json.dumps(detail.params, ensure_ascii=False) if detail.params else ""),
    ]
    return [(name, value) for name, value in lines if value not in ("", None, 0)]


def _tell_counts(detail: JobDetail) -> str:
    job = detail.row.job
    counts = {name: getattr(job, name) for name in ("created", "updated", "unchanged", "failed")}
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number)


@jobs_group.command("retry")
@click.argument("task_ids", nargs=-1, required=True)
@plainly
def retry_jobs(task_ids: tuple[str, ...]) -> None:
    """Try jobs again that failed or were cancelled; exit code 1 when there was none."""
    _tell_result(job_actions.retry_many(get_operator(), task_ids=task_ids), "tried again")


@jobs_group.command("cancel")
@click.argument("task_ids", nargs=-1, required=True)
@plainly
def cancel_jobs(task_ids: tuple[str, ...]) -> None:
    """Cancel jobs: at once what waits, at the next batch what runs; exit code 1 when there was none."""
    _tell_result(job_actions.cancel_many(get_operator(), task_ids=task_ids), "cancelled")


def _tell_result(result: ActionResult, what: str) -> None:
    why = " (there is no such job, or its state does not allow it)" if result.skipped else ""
    click.echo(f"{result.done} {what}, {result.skipped} skipped{why}.")
    if not result.done:
        raise SystemExit(1)


@jobs_group.command("prune")
@click.option("--older-than", required=True, help="Such as 30d, 12h or 90m, counted from when they ended.")
@click.option("--status", type=click.Choice(FINAL_STATUSES), help="All ended ones when it is not given.")
@click.option("--read", "only_read", is_flag=True, help="Only those whose notification was read.")
@click.option("--dry-run", is_flag=True, help="Count, and delete nothing.")
@plainly
def prune_jobs(older_than: str, status: str | None, only_read: bool, dry_run: bool) -> None:  # noqa: FBT001 - click
    """Delete ended jobs with their files, tries and log lines, a hundred in a transaction."""
    rule = PruneRule(_parse_age(older_than), status, only_read)
    if dry_run:
        click.echo(f"{_count(retention.count_prunable(rule))} would be deleted.")
    else:
        click.echo(f"{_count(retention.prune_jobs(rule))} deleted.")


def _count(number: int) -> str:
    return "1 job" if number == 1 else f"{number} jobs"


def _parse_age(text: str) -> timedelta:
    found = _AGE.fullmatch(text)
    age = timedelta(**{_UNITS[found.group(2)]: int(found.group(1))}) if found else None
    if age is None or age > LONGEST_AGE:
        raise Problem(
            N_("“%(text)s” is no age."), N_("Write a number and d, h or m, such as 30d."), text=text
        )
    return age
