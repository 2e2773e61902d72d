"""``python -m bench.exporting.rivals NAME``: the same rows by other means, and what it took, as JSON."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Select
from sqlalchemy.engine import Connection

from webapp import create_app
from webapp.extensions import db, settings
from webapp.resources.registry import get_resource
from webapp.services.queries import RecordQuery

PRODUCTS = get_resource("products")
WEASYPRINT_HTML = (
    "<style>@page {{ size: A4 landscape }} body {{ font: 7pt sans-serif }} th, td {{ padding: 2pt }}"
    " .n {{ text-align: right }}</style><h1>Products</h1><table><thead><tr>{head}</tr></thead>{rows}</table>"
)


def build_query() -> Select[Any]:
    """Return the query that an export of all products makes, with the columns as they are stored."""
    query = RecordQuery(PRODUCTS)
    cells = [query.column(field).label(field.name) for field in PRODUCTS.fields]
    rows = query.select(PRODUCTS.fields).with_only_columns(*cells)
    return rows.order_by(query.column(PRODUCTS.get_field("title")), PRODUCTS.model.id)


def write_sql() -> str:
    """Return the query as text."""
    return str(build_query().compile(db.engine, compile_kwargs={"literal_binds": True}))


def copy_out(target: Path, connection: Connection) -> None:
    """PostgreSQL's own way to a CSV file."""
    driver: Any = connection.connection.dbapi_connection
    with (
        target.open("wb") as file,
        driver.cursor().copy(f"COPY ({write_sql()}) TO STDOUT (FORMAT csv, HEADER)") as rows,
    ):
        for block in rows:
            file.write(block)


def run_sqlite3(target: Path, _connection: Connection) -> None:
    """SQLite's own way: its command line."""
    with target.open("wb") as file:
        subprocess.run(  # noqa: S603 - our own words
            ["sqlite3", "-csv", "-header", str(settings().data_dir / "stockroom.db"), write_sql()],  # noqa: S607 - on the path
            stdout=file,
            check=True,
        )


def loop_xlsxwriter(target: Path, connection: Connection) -> None:
    """The loop over rows and cells that XlsxWriter's manual shows."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - each rival loads what it needs

    book = Workbook(str(target), {"constant_memory": True})
    sheet = book.add_worksheet()
    for column, field in enumerate(PRODUCTS.fields):
        sheet.write_string(0, column, field.name)
    for number, row in enumerate(_stream(connection), start=1):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, column, value)
            elif value is not None:
                sheet.write_number(number, column, value)
    book.close()


def draw_at_once(target: Path, connection: Connection) -> None:
    """One HTML table, one call of WeasyPrint."""
    from markupsafe import escape  # noqa: PLC0415 - as above
    from weasyprint import HTML  # noqa: PLC0415 - as above

    aligned = [' class="n"' if field.type.align == "end" else "" for field in PRODUCTS.fields]
    head = "".join(f"<th>{escape(field.label)}" for field in PRODUCTS.fields)
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{kind}>{'' if value is None else escape(value)}"
            for kind, value in zip(aligned, row, strict=True)
        )
        for row in _stream(connection)
    )
    HTML(string=WEASYPRINT_HTML.format(head=head, rows=rows)).write_pdf(target)


def _stream(connection: Connection) -> Iterator[Any]:
    yield from connection.execution_options(yield_per=2000).execute(build_query())


RIVALS: dict[str, Callable[[Path, Connection], None]] = {
    "copy": copy_out,
    "sqlite3": run_sqlite3,
    "xlsxwriter": loop_xlsxwriter,
    "weasyprint": draw_at_once,
}


def main() -> None:
    """Run one and print its seconds."""
    with (
        create_app().app_context(),
        tempfile.TemporaryDirectory() as folder,
        db.engine.connect() as connection,
    ):
        started = time.perf_counter()
        RIVALS[sys.argv[1]](Path(folder) / "file", connection)
        print(json.dumps({"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
