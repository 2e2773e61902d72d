"""The command line: ``flask --app webapp …``."""

import json
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup
from flask_migrate import upgrade

from webapp import cli_jobs, cli_workers
from webapp.cli_support import get_operator, plainly, print_job
from webapp.database import write_transaction
from webapp.errors import Problem
from webapp.extensions import db, settings
from webapp.models import ROLES, TaskNotification
from webapp.services import accounts, demo, exports, files, imports, jobs, stock
from webapp.services.job_protocol import JobRun, carry_out, owner_name

users = AppGroup("users", help="The people who sign in.")
tokens = AppGroup("tokens", help="Tokens for the API.")
imports_group = AppGroup("imports", help="Import files.")
exports_group = AppGroup("exports", help="Export records.")
demo_group = AppGroup("demo", help="Demo data.")
stock_group = AppGroup("stock", help="The stock.")

DEMO_PRODUCTS = 300
DEMO_MOVEMENTS = 12_000


def init_app(app: Flask) -> None:
    """Add the commands to an application."""
    groups = (users, tokens, imports_group, exports_group, demo_group, stock_group)
    for group in (*groups, cli_jobs.jobs_group, cli_workers.worker_group, cli_workers.logs_group):
        app.cli.add_command(group)
    app.cli.add_command(prepare)


@click.command("prepare")
@plainly
def prepare() -> None:
    """Make everything ready for the first start: tables, an administrator, demo data."""
    if not settings().is_sqlite:
        upgrade()
    config = settings()
    made = None
    if not accounts.has_users():
        chosen = config.admin_password or secrets.token_urlsafe(12)
        made = accounts.create_user(config.admin_email, "admin", chosen)
        if config.seed_demo:
            click.echo("Loading demo data …", err=True)
            demo.load_demo(DEMO_PRODUCTS, DEMO_MOVEMENTS, seed=1)
    host = "127.0.0.1" if config.host in {"0.0.0.0", "::"} else config.host  # noqa: S104 - only compared
    click.echo(f"\n  Stockroom      http://{host}:{config.port}/")
    if made:
        click.echo(f"  Administrator  {made[0].email}")
        click.echo(f"  Password       {made[1]}   (shown this once)")
    click.echo()


@users.command("create")
@click.option("--email", required=True)
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--password", help="Made and printed when it is not given.")
@plainly
def create_user(email: str, role: str, password: str | None) -> None:
    """Add a user."""
    user, chosen = accounts.create_user(email, role, password)
    click.echo(f"{user.role} {user.email} created." + ("" if password else f" Password: {chosen}"))


@tokens.command("create")
@click.option("--email", required=True, help="Whose token it is.")
@click.option("--name", default="command line")
@plainly
def create_token(email: str, name: str) -> None:
    """Make an API token and print it, once."""
    click.echo(accounts.create_token(accounts.get_user(email), name))


def _run_in_foreground(job: TaskNotification, body: Callable[[JobRun], None], label: str) -> TaskNotification:
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


@imports_group.command("run")
@click.argument("resource")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", default="", help="JSON: {field: column or {column, default, values}}.")
@click.option("--on-error", type=click.Choice(["skip", "abort"]), default="skip", show_default=True)
@click.option("--dry-run", is_flag=True, help="Check every row and save none.")
@plainly
def run_import(resource: str, file: Path, mapping: str, on_error: str, dry_run: bool) -> None:  # noqa: FBT001 - click
    """Import FILE into RESOURCE here and now; print the job as JSON."""
    actor = get_operator()
    rules = _parse_json(mapping) if mapping else {}
    with file.open("rb") as stream:
        data_import = imports.create_import(actor, resource, stream, file.name, inspect=False)
    with write_transaction() as session:
        data_import.mapping = rules or None
        data_import.options = imports.check_options({"on_error": on_error, "dry_run": dry_run})
        job = jobs.create_job(
            session,
            "import",
            actor=actor,
            model_name=resource,
            data_import_id=data_import.id,
            params={"file_name": file.name},
            claimed_by=owner_name(),
        )
    _end(_run_in_foreground(job, imports.run_import, f"Importing {file.name}"))


def _parse_json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Problem(f"The mapping is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise Problem("The mapping is not a JSON object.", 'Write it as {"field": "column"}.')
    return value


def _end(job: TaskNotification) -> None:
    print_job(job)
    sys.exit(0 if job.status == "completed" else 1)


@exports_group.command("run")
@click.argument("resource")
@click.option("--format", "file_format", required=True)
@click.option("--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--filter", "filters", multiple=True, help="key=value, as in the list page's address; repeatable."
)
@plainly
def run_export(resource: str, file_format: str, output: Path, filters: tuple[str, ...]) -> None:
    """Export RESOURCE to a file here and now; print the job as JSON."""
    chosen = dict(_parse_filter(item) for item in filters)
    job = exports.request_export(
        get_operator(), resource, file_format, filters=chosen, claimed_by=owner_name()
    )
    ended = _run_in_foreground(job, exports.run_export, f"Exporting {resource}")
    if ended.status == "completed" and ended.file_path:
        with files.open_for_reading(ended.file_path) as source, output.open("wb") as target:
            while block := source.read(files.COPY_BYTES):
                target.write(block)
    _end(ended)


def _parse_filter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Problem(f"The filter “{text}” is not of the form key=value.")
    return name, value


@demo_group.command("load")
@click.option("--products", type=click.IntRange(1), default=DEMO_PRODUCTS, show_default=True)
@click.option("--movements", type=click.IntRange(0), default=DEMO_MOVEMENTS, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@plainly
def load_demo(products: int, movements: int, seed: int) -> None:
    """Fill an empty shop with believable goods and half a year of movements."""
    with click.progressbar(
        length=movements, label="Loading", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        counts = demo.load_demo(
            products, movements, seed, progress=lambda done, _: bar.update(done - bar.pos)
        )
    click.echo(json.dumps(counts))


@stock_group.command("verify")
@plainly
def verify_stock() -> None:
    """Recompute every quantity from its movements and report the differences."""
    wrong = stock.verify_stock()
    for _, serial_number, quantity, total in wrong:
        click.echo(f"{serial_number}: stored {quantity}, movements say {total}")
    click.echo(f"{len(wrong)} products differ from their movements.", err=True)
    sys.exit(1 if wrong else 0)
