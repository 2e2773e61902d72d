"""Import templates: the headers of a kind of record and one example row, as CSV or XLSX."""

import csv
import io

from flask_babel import force_locale, gettext

from webapp.errors import NotFound
from webapp.pipeline.write_csv import BOM, LINE_END
from webapp.resources.base import Resource
from webapp.services.import_examples import build_example
from webapp.services.import_mapping import mappable_fields

COLUMN_WIDTH = 20


def build_template(resource: Resource, file_format: str, language: str) -> tuple[str, bytes]:
    """Return the name and the bytes of a template. The example row is known again and left out when it comes."""
    rows = [[field.name for field in mappable_fields(resource)], build_example(resource, language)]
    builders = {"csv": _build_csv, "xlsx": _build_xlsx}
    if file_format not in builders:
        raise NotFound(file_format)
    with force_locale(language):
        name = gettext("template")
    return f"{resource.name}-{name}.{file_format}", builders[file_format](rows)


def _build_csv(rows: list[list[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=LINE_END).writerows(rows)
    return (BOM + buffer.getvalue()).encode()


def _build_xlsx(rows: list[list[str]]) -> bytes:
    """All cells are text, and their columns, too: codes typed below the example keep their zeros."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - only who asks for a template needs it

    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        text = workbook.add_format({"num_format": "@"})
        bold = workbook.add_format({"num_format": "@", "bold": True, "bottom": 1})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(rows[0]) - 1, COLUMN_WIDTH, text)
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                sheet.write_string(number, place, cell, text if number else bold)
    return buffer.getvalue()
