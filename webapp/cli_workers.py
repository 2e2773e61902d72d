"""The commands of operators for the worker processes and what they logged."""

import json
import time
from collections.abc import Callable

import click
from flask.cli import AppGroup

from webapp.cli_support import format_seconds, get_operator, plainly, print_table
from webapp.extensions import db
from webapp.services import monitor
from webapp.services.monitor_types import ConsumerRow, LogLine

worker_group = AppGroup("worker", help="The worker processes.")
logs_group = AppGroup("logs", help="What the workers logged.")

LOG_PAUSE_SECONDS = 0.5
FETCHED_LINES = 500


@worker_group.command("status")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@plainly
def show_workers(as_json: bool) -> None:  # noqa: FBT001 - click
    """List the worker processes; exit code 1 when none lives."""
    rows = monitor.list_consumers(get_operator())
    if as_json:
        click.echo(json.dumps([_describe(row) for row in rows], indent=2))
    elif rows:
        _print_workers(rows)
    if all(row.is_stale for row in rows):
        click.echo("No worker lives: jobs wait. “make run” starts the web process and a worker.", err=True)
        raise SystemExit(1)


def _print_workers(rows: list[ConsumerRow]) -> None:
    heads = ("HOST", ">PID", "STATE", ">HEARD OF", ">MEMORY", "VERSION", "WORKS ON")
    cells = [
        (
            row.host,
            str(row.pid),
            "silent" if row.is_stale else "busy" if row.jobs else "ready",
            f"{format_seconds(row.silent_seconds)} ago",
            f"{row.memory_bytes >> 20} MB" if row.memory_bytes else "-",
            f"{row.version} (not this code)" if row.is_skewed else row.version,
            ", ".join(f"{job.task_type} {job.task_id}" for job in row.jobs) or "-",
        )
        for row in rows
    ]
    print_table(heads, cells)


def _describe(row: ConsumerRow) -> dict[str, object]:
    return {
        "host": row.host,
        "pid": row.pid,
        "version": row.version,
        "silent_seconds": round(row.silent_seconds, 1),
        "memory_mb": row.memory_bytes >> 20 if row.memory_bytes else None,
        "job": row.job.task_id if row.job else None,
        "is_stale": row.is_stale,
        "is_skewed": row.is_skewed,
    }


@logs_group.command("tail")
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
@click.option("--level", type=click.Choice(monitor.LEVELS), help="This one and worse.")
@click.option("--job", "task_id", help="Only the lines about one job.")
@click.option("--text", default="", help="Only the lines with these words.")
@click.option("--lines", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line.")
@plainly
def tail_logs(
    follow: bool,  # noqa: FBT001 - click
    level: str | None,
    task_id: str | None,
    text: str,
    lines: int,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """Print the workers' newest log lines."""
    actor = get_operator()

    def fetch(after_id: int | None, limit: int) -> list[LogLine]:
        db.session.rollback()  # a new transaction sees what came meanwhile
        return monitor.list_logs(
            actor, after_id=after_id, level=level, task_id=task_id, text=text, limit=limit
        ).lines

    try:
        _print_lines(fetch, lines, _format_json if as_json else _format, follow=follow)
    except KeyboardInterrupt:
        return  # how somebody who follows says that it is enough


def _print_lines(
    fetch: Callable[[int | None, int], list[LogLine]],
    lines: int,
    write: Callable[[LogLine], str],
    *,
    follow: bool,
) -> None:
    found, last = fetch(None, lines), 0
    while True:
        for line in found:
            click.echo(write(line))
        last = found[-1].id if found else last
        if not follow:
            return
        time.sleep(LOG_PAUSE_SECONDS)
        found = fetch(last, FETCHED_LINES)


def _format(line: LogLine) -> str:
    about = f" [{line.task_id}]" if line.task_id else ""
    text = f"{line.at:%Y-%m-%dT%H:%M:%S}Z {line.level} {line.consumer} {line.logger}{about}: {line.message}"
    return f"{text}\n{line.exception}" if line.exception else text


def _format_json(line: LogLine) -> str:
    told = {
        "at": line.at.isoformat(),
        "level": line.level,
        "consumer": line.consumer,
        "logger": line.logger,
        "job": line.task_id,
        "message": line.message,
        "exception": line.exception or None,
    }
    return json.dumps(told, ensure_ascii=False)
