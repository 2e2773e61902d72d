"""The command line: ``flask --app webapp …``."""

import json
import secrets
import sys
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup
from flask_migrate import upgrade

from webapp import cli_imports, cli_jobs, cli_stock, cli_users, cli_workers
from webapp.cli_support import end_with, get_address, get_operator, plainly, run_in_foreground
from webapp.errors import Problem
from webapp.extensions import settings
from webapp.services import accounts, demo, exports, files
from webapp.services.job_protocol import owner_name

exports_group = AppGroup("exports", help="Export records.")
demo_group = AppGroup("demo", help="Demo data.")

DEMO_PRODUCTS = 300
DEMO_MOVEMENTS = 12_000


def init_app(app: Flask) -> None:
    """Add the commands to an application."""
    groups = (cli_users.users_group, cli_users.tokens_group, cli_imports.imports_group, exports_group)
    others = (demo_group, cli_stock.stock_group, cli_jobs.jobs_group)
    for group in (*groups, *others, cli_workers.worker_group, cli_workers.logs_group):
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
    click.echo(f"\n  Stockroom      {get_address()}/")
    if made:
        click.echo(f"  Administrator  {made[0].email}")
        click.echo(f"  Password       {made[1]}   (shown this once)")
    click.echo()


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
    ended = run_in_foreground(job, exports.run_export, f"Exporting {resource}")
    if ended.status == "completed" and ended.file_path:
        with files.open_for_reading(ended.file_path) as source, output.open("wb") as target:
            while block := source.read(files.COPY_BYTES):
                target.write(block)
    end_with(ended)


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
