"""The formats that records can be exported in, in the order in which they are offered.

Adding one is a module with a ``write`` function and an entry here.
"""

from webapp.pipeline import write_csv, write_json, write_pdf, write_xlsx, write_xml
from webapp.pipeline.format_options import Format, Option
from webapp.pipeline.write_base import (
    Batch,
    Column,
    ExportInfo,
    Note,
    WriteProblem,
    Writer,
    WriteResult,
)
from webapp.resources.base import N_
from webapp.resources.types import Problem

__all__ = [
    "FORMATS",
    "Batch",
    "Column",
    "ExportInfo",
    "Format",
    "Note",
    "Option",
    "WriteProblem",
    "WriteResult",
    "Writer",
    "get_format",
]

GZIP = Option("gzip", N_("Compress (gzip)"), default=False)

CSV = Format(
    name="csv",
    label="CSV",
    extension="csv",
    mimetype="text/csv",
    writer=write_csv.write,
    is_importable=True,
    options=(
        Option(
            "preset",
            N_("Preset"),
            "none",
            (("none", N_("none")), ("excel_brazil", N_("Excel, Brazil"))),
        ),
        Option(
            "delimiter",
            N_("Columns are separated by"),
            "comma",
            (("comma", N_("comma")), ("semicolon", N_("semicolon")), ("tab", N_("tab"))),
        ),
        Option(
            "decimal",
            N_("Decimals are written with"),
            "point",
            (("point", N_("point (1234.56)")), ("comma", N_("comma (1234,56)"))),
        ),
        Option("bom", N_("Mark as UTF-8 for Excel (BOM)"), default=False),
        GZIP,
    ),
    presets={"excel_brazil": {"delimiter": "semicolon", "decimal": "comma", "bom": True}},
)

XLSX = Format(
    name="xlsx",
    label="Excel (XLSX)",
    extension="xlsx",
    mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    writer=write_xlsx.write,
    binary=True,
    is_importable=True,
    max_rows=write_xlsx.MAX_ROWS,
)

NUMBERS = Option(
    "numbers",
    N_("Amounts are written as"),
    "string",
    (("string", N_("exact text, such as “12.30”")), ("number", N_("numbers, such as 12.30"))),
)

JSON = Format(
    name="json",
    label="JSON",
    extension="json",
    mimetype="application/json",
    writer=write_json.write,
    is_importable=True,
    options=(NUMBERS, GZIP),
)

NDJSON = Format(
    name="ndjson",
    label="NDJSON",
    extension="ndjson",
    mimetype="application/x-ndjson",
    writer=write_json.write_lines,
    is_importable=True,
    options=(NUMBERS, GZIP),
)

XML = Format(
    name="xml",
    label="XML",
    extension="xml",
    mimetype="application/xml",
    writer=write_xml.write,
    options=(GZIP,),
)

PDF = Format(
    name="pdf",
    label="PDF",
    extension="pdf",
    mimetype="application/pdf",
    writer=write_pdf.write,
    binary=True,
    batch_rows=250,
    cache_kib=2_000,  # the memory is for drawing, which takes a thousand times as long as reading
    options=(
        Option(
            "long_text",
            N_("Long texts"),
            "shorten",
            (("shorten", N_("at most six lines")), ("full", N_("in full"))),
        ),
    ),
)

FORMATS: dict[str, Format] = {item.name: item for item in (CSV, XLSX, JSON, NDJSON, XML, PDF)}


def get_format(name: str) -> Format:
    """Return the format of this name; Problem names the known ones."""
    if name not in FORMATS:
        raise Problem(
            N_("There is no format “%(name)s”."),
            N_("Use one of: %(choices)s."),
            name=name,
            choices=", ".join(FORMATS),
        )
    return FORMATS[name]
