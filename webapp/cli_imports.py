"""The commands of imports: look at a file, import it here and now."""

import csv
import io
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from webapp.cli_support import end_with, get_operator, plainly, run_in_foreground
from webapp.errors import Problem
from webapp.pipeline.read import read_table
from webapp.pipeline.read_table import Table
from webapp.services import import_apply
from webapp.services.import_inspect import read_limits
from webapp.services.import_options import CHOICES
from webapp.services.import_overrides import DATE_ORDERS, check_overrides
from webapp.services.import_requests import ImportRequest, request_import
from webapp.services.job_protocol import owner_name

imports_group = AppGroup("imports", help="Import files.")

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
READING: tuple[Callable[[Any], Any], ...] = (
    click.option("--encoding", help="Instead of the detected one, such as cp1252."),
    click.option("--delimiter", help="One character, or “tab”."),
    click.option("--quote", help="One character; empty when the file has none."),
    click.option("--header-line", type=click.IntRange(1), help="The line with the names of the columns."),
    click.option("--sheet", help="The sheet of a workbook."),
    click.option("--decimal", type=click.Choice([".", ","]), help="The decimal sign."),
    click.option("--date-order", type=click.Choice(DATE_ORDERS), help="Which part of a date comes first."),
)


def reading_options(command: Any) -> Any:
    """Add what can be decided about the reading of a file."""
    for option in reversed(READING):
        command = option(command)
    return command


@imports_group.command("inspect")
@click.argument("file", type=FILE)
@click.option("--normalize", is_flag=True, help="Write the table as plain CSV (RFC 4180, UTF-8) instead.")
@reading_options
@plainly
def inspect(file: Path, normalize: bool, **reading: Any) -> None:  # noqa: FBT001 - click
    """Print what FILE is understood to be, as JSON."""
    table = read_table(file, limits=read_limits(), **_collect_overrides(reading))
    if normalize:
        _write_plain(table)
    else:
        click.echo(json.dumps(_describe(table), ensure_ascii=False, indent=2))


def _describe(table: Table) -> dict[str, Any]:
    notices = [notice["message"] % notice["params"] for notice in table.dialect.notices]
    sample = [{"line": line, "row": row} for line, row in table.sample]
    return {**table.dialect.to_json(), "notices": notices, "sample": sample}


def _write_plain(table: Table) -> None:
    """Write header and rows to standard output; a row that cannot be read is named on standard error."""
    output = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    writer = csv.writer(output, lineterminator="\r\n")
    writer.writerow(table.columns)
    for chunk in table.chunks():
        for line, problem in chunk.problems.items():
            click.echo(f"Line {line}: {problem}", err=True)
        rows = chunk.frame.drop(index=list(chunk.problems))
        writer.writerows(rows.itertuples(index=False, name=None))
    output.detach()  # flushed, and left open


@imports_group.command("run")
@click.argument("resource")
@click.argument("file", type=FILE)
@click.option("--mapping", default="", help="JSON: {field: column or {column, default, values}}.")
@click.option("--on-error", type=click.Choice(CHOICES["on_error"]), default="skip", show_default=True)
@click.option("--mode", type=click.Choice(CHOICES["mode"]), default="upsert", show_default=True)
@click.option(
    "--empty",
    type=click.Choice(CHOICES["empty"]),
    default="keep",
    show_default=True,
    help="What an empty cell does to a record's value.",
)
@click.option(
    "--repeated",
    type=click.Choice(CHOICES["repeated"]),
    default="error",
    show_default=True,
    help="What becomes of a movement that stands twice in the file.",
)
@click.option(
    "--create-missing", multiple=True, help="A field whose missing records are created; repeatable."
)
@click.option("--confirm-repeat", is_flag=True, help="Import a file again whose movements have no reference.")
@click.option("--dry-run", is_flag=True, help="Check every row and save none.")
@reading_options
@plainly
def run_import(resource: str, file: Path, mapping: str, **options: Any) -> None:
    """Import FILE into RESOURCE here and now; print the job as JSON."""
    actor = get_operator()
    rules = _parse_json(mapping) if mapping else None
    overrides = _collect_overrides(options)
    chosen = {name: value for name, value in options.items() if name in (*CHOICES, "create_missing")}
    asked = ImportRequest(resource, file.name, rules, chosen, overrides, options["confirm_repeat"])
    with file.open("rb") as stream:
        job = request_import(actor, stream, asked, claimed_by=owner_name())
    end_with(run_in_foreground(job, import_apply.run_import, f"Importing {file.name}"))


def _collect_overrides(options: Mapping[str, Any]) -> dict[str, Any]:
    names = ("encoding", "delimiter", "quote", "header_line", "sheet", "decimal", "date_order")
    given = {name: options.get(name) for name in names}
    if given["delimiter"] in ("tab", "\\t"):
        given["delimiter"] = "\t"
    return check_overrides(given)


def _parse_json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Problem(f"The mapping is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise Problem("The mapping is not a JSON object.", 'Write it as {"field": "column"}.')
    return value
