"""XML: streamed, well-formed whatever the text, and valid against ``docs/export.xsd``.

The elements are fixed and a field's name is an attribute, so that one schema fits every resource.
Characters that XML 1.0 cannot hold even escaped (most control characters, lone surrogates) are
removed and counted.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO

from webapp.pipeline.write_base import Batch, Column, ExportInfo, Note, WriteResult
from webapp.pipeline.write_text import TextOutput, format_moments_utc, format_values, is_text
from webapp.resources.base import N_
from webapp.resources.types import PLAIN, DateTime

VERSION = "1"
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SEPARATOR = "\ue000"  # between the cells of a column while it is escaped in one go


def write(
    batches: Iterable[Batch],
    columns: Sequence[Column],
    file: BinaryIO,
    info: ExportInfo,
    options: Mapping[str, Any],
) -> WriteResult:
    """Write one document: what it is, its columns, then a ``record`` for each row."""
    rows = removed = 0
    with TextOutput(file, compress=options["gzip"]) as output:
        head, count = FORBIDDEN.subn("", _format_head(columns, info))
        removed += count
        output.write(head)
        for batch in batches:
            text, count = _format_batch(batch, columns)
            removed += count
            output.write(text)
            rows += len(batch)
        output.write("</stockroom>\n")
    note = Note(N_("Characters that XML cannot hold, removed: %(count)s."), {"count": removed})
    return WriteResult(rows, (note,) if removed else ())


def _format_head(columns: Sequence[Column], info: ExportInfo) -> str:
    generated = format_moments_utc([info.generated_at])[0]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<stockroom version="{VERSION}" resource={_attribute(info.resource)} title={_attribute(info.title)}',
        f'  generated="{generated}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
        *(f"  <filter name={_attribute(name)} value={_attribute(value)}/>" for name, value in info.filters),
        *(
            f"  <column name={_attribute(column.name)} label={_attribute(column.label)}"
            f' type="{type(column.type).__name__.lower()}"/>'
            for column in columns
        ),
    ]
    return "\n".join(lines) + "\n"


def _format_batch(batch: Batch, columns: Sequence[Column]) -> tuple[str, int]:
    """Return the records of a batch, and how many characters were removed from them.

    Columns are formatted one after the other; the values of a row go into one template.
    """
    places = []
    cells = []
    removed = 0
    for values, column in zip(zip(*batch, strict=True), columns, strict=False):
        texts, count = _format_values(values, column)
        removed += count
        before = f"<field name={_attribute(column.name)}>"
        place = before.replace("%", "%%") + "%s</field>"
        if None in values:
            nothing = before[:-1] + ' xsi:nil="true"/>'
            texts = [nothing if v is None else place % text for v, text in zip(values, texts, strict=True)]
            place = "%s"
        places.append(place)
        cells.append(texts)
    template = f"  <record>{''.join(places)}</record>\n"
    return "".join(map(template.__mod__, zip(*cells, strict=True))), removed


def _format_values(values: Sequence[Any], column: Column) -> tuple[list[str], int]:
    """Return the values of a column as XML text, and how many characters were removed."""
    if isinstance(column.type, DateTime):
        return format_moments_utc(values), 0
    if not is_text(column.type):
        return format_values(values, column.type, PLAIN), 0
    texts = [value or "" for value in values]
    # The whole column as one string; one by one only if a text holds the separator.
    joined, removed = FORBIDDEN.subn("", _SEPARATOR.join(texts))
    escaped = escape(joined).split(_SEPARATOR)
    if len(escaped) != len(texts):
        escaped = [escape(FORBIDDEN.sub("", text)) for text in texts]
    return escaped, removed


def escape(text: str) -> str:
    """Escape markup, and carriage returns, which a parser would turn into line feeds."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")


def _attribute(text: str) -> str:
    escaped = escape(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return f'"{escaped}"'
