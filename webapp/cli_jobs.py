"""The commands of operators: jobs, workers, logs. They ask what the monitor asks and do what it does."""

import json
import re
import time
from collections.abc import Callable
from datetime import timedelta

import click
from flask.cli import AppGroup

from webapp.cli_support import get_operator, plainly, print_job
from webapp.errors import Problem
from webapp.extensions import db
from webapp.models import FINAL_STATUSES
from webapp.resources.base import N_
from webapp.services import job_actions, jobs, monitor, retention
from webapp.services.monitor_types import ActionResult, JobFilter, LogLine
from webapp.services.retention import PruneRule

jobs_group = AppGroup("jobs", help="Background jobs.")
worker_group = AppGroup("worker", help="The worker processes.")
logs_group = AppGroup("logs", help="What the workers logged.")

LOG_PAUSE_SECONDS = 0.5
FETCHED_LINES = 500
_AGE = re.compile(r"(\d+)([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


@jobs_group.command("list")
@click.option("--state", type=click.Choice(monitor.SHOWN_STATES))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@plainly
def list_jobs(state: str | None, limit: int) -> None:
    """List jobs, newest first: id, state, kind, resource, rows, created."""
    page = monitor.list_jobs(get_operator(), JobFilter(state=state), limit=limit)
    for row in page.rows:
        job = row.job
        cells = (job.task_id, f"{row.state:10}", f"{job.task_type:14}", f"{job.model_name or '-':14}")
        click.echo("  ".join((*cells, f"{job.processed:>9}", f"{job.created_at:%Y-%m-%d %H:%M:%S}")))


@jobs_group.command("show")
@click.argument("task_id")
@plainly
def show_job(task_id: str) -> None:
    """Print one job as JSON."""
    print_job(jobs.get_job(get_operator(), task_id))


@jobs_group.command("retry")
@click.argument("task_ids", nargs=-1, required=True)
@plainly
def retry_jobs(task_ids: tuple[str, ...]) -> None:
    """Try jobs again that failed or were cancelled."""
    _tell(job_actions.retry_many(get_operator(), task_ids=task_ids), "tried again")


@jobs_group.command("cancel")
@click.argument("task_ids", nargs=-1, required=True)
@plainly
def cancel_jobs(task_ids: tuple[str, ...]) -> None:
    """Cancel jobs: at once what waits, at the next batch what runs."""
    _tell(job_actions.cancel_many(get_operator(), task_ids=task_ids), "cancelled")


def _tell(result: ActionResult, what: str) -> None:
    click.echo(f"{result.done} {what}, {result.skipped} skipped.")
    if not result.done:
        raise SystemExit(1)


@jobs_group.command("prune")
@click.option("--older-than", required=True, help="Such as 30d, 12h or 90m.")
@click.option("--status", type=click.Choice(FINAL_STATUSES), help="All ended ones when it is not given.")
@click.option("--read", "only_read", is_flag=True, help="Only those whose notification was read.")
@click.option("--dry-run", is_flag=True, help="Count, and delete nothing.")
@plainly
def prune_jobs(older_than: str, status: str | None, only_read: bool, dry_run: bool) -> None:  # noqa: FBT001 - click
    """Delete ended jobs with their files, tries and log lines."""
    rule = PruneRule(_parse_age(older_than), status, only_read)
    if dry_run:
        click.echo(f"{retention.count_prunable(rule)} jobs would be deleted.")
    else:
        click.echo(f"{retention.prune_jobs(rule)} jobs deleted.")


def _parse_age(text: str) -> timedelta:
    found = _AGE.fullmatch(text)
    if found is None:
        raise Problem(
            N_("“%(text)s” is no age."), N_("Write a number and d, h or m, such as 30d."), text=text
        )
    return timedelta(**{_UNITS[found.group(2)]: int(found.group(1))})


@worker_group.command("status")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@plainly
def show_workers(as_json: bool) -> None:  # noqa: FBT001 - click
    """List the worker processes; exit code 1 when none lives."""
    rows = monitor.list_consumers(get_operator())
    told = [
        {
            "host": row.host,
            "pid": row.pid,
            "version": row.version,
            "silent_seconds": round(row.silent_seconds, 1),
            "memory_mb": row.memory_bytes >> 20 if row.memory_bytes else None,
            "job": row.job.task_id if row.job else None,
            "is_stale": row.is_stale,
        }
        for row in rows
    ]
    for item in [] if as_json else told:
        click.echo("  ".join(f"{name}={value}" for name, value in item.items()))
    if as_json:
        click.echo(json.dumps(told, indent=2))
    if all(row.is_stale for row in rows):
        click.echo("No worker lives.", err=True)
        raise SystemExit(1)


@logs_group.command("tail")
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
@click.option("--level", type=click.Choice(monitor.LEVELS), help="This one and worse.")
@click.option("--job", "task_id", help="Only the lines about one job.")
@click.option("--lines", type=click.IntRange(1, 1000), default=50, show_default=True)
@plainly
def tail_logs(follow: bool, level: str | None, task_id: str | None, lines: int) -> None:  # noqa: FBT001 - click
    """Print the workers' newest log lines."""
    actor = get_operator()

    def fetch(after_id: int | None, limit: int) -> list[LogLine]:
        db.session.rollback()  # a new transaction sees what came meanwhile
        return monitor.list_logs(actor, after_id=after_id, level=level, task_id=task_id, limit=limit).lines

    _print_lines(fetch, lines, follow=follow)


def _print_lines(fetch: Callable[[int | None, int], list[LogLine]], lines: int, *, follow: bool) -> None:
    found, last = fetch(None, lines), 0
    while True:
        for line in found:
            click.echo(_format(line))
        last = found[-1].id if found else last
        if not follow:
            return
        time.sleep(LOG_PAUSE_SECONDS)
        found = fetch(last, FETCHED_LINES)


def _format(line: LogLine) -> str:
    about = f" [{line.task_id}]" if line.task_id else ""
    text = f"{line.at:%Y-%m-%dT%H:%M:%S}Z {line.level} {line.consumer} {line.logger}{about}: {line.message}"
    return f"{text}\n{line.exception}" if line.exception else text
