"""What the groups of commands share: plain errors, who acts, how a job is told."""

import json
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click
from flask_migrate import upgrade

from webapp.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from webapp.extensions import db, settings
from webapp.models import TaskNotification, User
from webapp.resources.base import N_
from webapp.services import jobs
from webapp.services.job_protocol import JobRun, carry_out


def plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """Make sure of the database, and turn what can go wrong into one sentence and exit code 2."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            migrate_embedded()
            return command(*args, **options)
        except (Problem, Invalid, Conflict) as error:
            problem = str(error)
        except NotFound as error:
            problem = f"There is no “{error}”."
        except Forbidden as error:
            problem = f"The user needs the role {error}."
        click.echo(f"Error: {problem}", err=True)
        sys.exit(2)

    return run


def migrate_embedded() -> None:
    """Create and migrate the embedded database; a database server is migrated by ``db upgrade`` alone."""
    if settings().is_sqlite:
        upgrade()


def get_operator() -> User:
    """The actor of the command line: the first administrator, who owns what it starts."""
    query = db.session.query(User).filter_by(role="admin", is_enabled=True).order_by(User.id)
    user = query.filter(User.password_hash != "").first()
    if user is None:
        raise Problem(
            N_("There is no administrator yet."),
            N_("Run: flask --app webapp users create --role admin --email …"),
        )
    return user


def get_address() -> str:
    """Return where this house is reached, as far as its own settings tell."""
    config = settings()
    host = "127.0.0.1" if config.host in {"0.0.0.0", "::"} else config.host  # noqa: S104 - only compared
    return f"http://{host}:{config.port}"


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, nothing: str = "") -> None:
    """Print rows under their heads, as wide as they need; a head that begins with “>” stands at the right."""
    if not rows:
        click.echo(nothing)
        return
    names = [head.removeprefix(">") for head in heads]
    widths = [max(len(cell) for cell in column) for column in zip(names, *rows, strict=True)]
    for cells in (names, *rows):
        aligned = [
            cell.rjust(width) if head.startswith(">") else cell.ljust(width)
            for head, cell, width in zip(heads, cells, widths, strict=True)
        ]
        click.echo("  ".join(aligned).rstrip())


def format_seconds(value: float | None) -> str:
    """How long something took, such as ``0.3 s`` or ``2 h 5 min``."""
    if value is None:
        return "-"
    if value < 60:
        return f"{value:.1f} s"
    minutes, seconds = divmod(int(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def run_in_foreground(job: TaskNotification, body: Callable[[JobRun], None], label: str) -> TaskNotification:
    """Carry out a job that was inserted as this process's own, with a progress bar on stderr."""
    run = JobRun(job, should_stop=lambda: False)
    with click.progressbar(
        length=job.total or 1, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:

        def show(done: int, total: int | None) -> None:
            bar.length = max(total or 1, done)
            bar.update(done - bar.pos)

        run.on_progress = show
        try:
            carry_out(run, body)
        except KeyboardInterrupt:  # whoever stops the command means the job: no consumer goes on with it
            jobs.cancel_job(get_operator(), job.task_id)
    db.session.expire_all()
    return db.session.get_one(TaskNotification, job.id)


def end_with(job: TaskNotification) -> None:
    """Print a job and leave: with code 1 when it did not complete."""
    print_job(job)
    sys.exit(0 if job.status == "completed" else 1)


def print_job(job: TaskNotification) -> None:
    """Print a job as JSON."""
    click.echo(json.dumps(describe_job(job), ensure_ascii=False, indent=2))


def describe_job(job: TaskNotification) -> dict[str, Any]:
    """Return what the command line and the API tell of a job."""
    moments = ("created_at", "started_at", "completed_at", "expires_at")
    plain = (
        *(
            "task_id",
            "task_type",
            "model_name",
            "file_format",
            "status",
            "processed",
            "total",
            "record_count",
        ),
        *("created", "updated", "unchanged", "failed", "error_message", "attempt", "sha256", "file_size"),
    )
    values = {name: getattr(job, name) for name in plain}
    return values | {name: value.isoformat() if (value := getattr(job, name)) else None for name in moments}
