"""The reader: any real file in, its dialect and its rows as text out.

``read_table`` is the one entry. It detects once, with one pass over the whole file; every later
step passes the stored ``dialect``, and nothing is guessed again.
"""

from dataclasses import replace
from typing import Any, BinaryIO

from webapp.pipeline.dialect import Dialect
from webapp.pipeline.limits import Limits
from webapp.pipeline.problems import Notice, ReadProblem
from webapp.pipeline.read_csv import inspect_csv
from webapp.pipeline.read_evidence import is_damaged_number
from webapp.pipeline.read_json import inspect_json
from webapp.pipeline.read_source import Source, check_size, open_binary
from webapp.pipeline.read_style import decide_style
from webapp.pipeline.read_survey import Survey
from webapp.pipeline.read_table import Chunk, Table
from webapp.pipeline.read_xlsx import inspect_xlsx
from webapp.pipeline.sniff import HEAD_BYTES, sniff_kind
from webapp.resources.base import N_

__all__ = [
    "Chunk",
    "Dialect",
    "Limits",
    "Notice",
    "ReadProblem",
    "Table",
    "is_damaged_number",
    "read_table",
    "sniff_kind",
]

# What a person may decide instead of the detection; the second group changes no rows.
_SHAPE = frozenset(("encoding", "delimiter", "quote", "escape", "header_line", "footer_line", "sheet"))
_STYLE = frozenset(("decimal", "date_order", "decimals", "date_orders"))
_DECIMAL_SIGNS = (".", ",")
_DATE_ORDERS = ("ymd", "dmy", "mdy", None)


def read_table(
    source: Source, *, dialect: Dialect | None = None, limits: Limits | None = None, **overrides: Any
) -> Table:
    """Return the table in a file: a path that the server made, or a binary file that can seek.

    With ``dialect`` nothing is detected again, and only the style can be overridden. Overrides
    replace what would be detected: encoding, delimiter, quote and escape ('' for none), header_line,
    footer_line (0 for none), sheet; decimal and date_order, which then hold for every column, or
    decimals and date_orders by column. None counts as not given. ReadProblem says why a file cannot be read.
    """
    limits = limits or Limits()
    given = {name: value for name, value in overrides.items() if value is not None}
    _check_overrides(given, _STYLE if dialect else _SHAPE | _STYLE)
    if dialect:
        return Table(source, _apply_style(dialect, given), limits)
    with open_binary(source) as file:
        check_size(file, limits)
        found, survey = _inspect(file, limits, given)
    found = _decide(found, survey, given)
    sample = [(line, dict(zip(found.columns, row, strict=True))) for line, row in survey.sample]
    return Table(source, found, limits, sample)


def _inspect(file: BinaryIO, limits: Limits, given: dict[str, Any]) -> tuple[Dialect, Survey]:
    kind = sniff_kind(file.read(HEAD_BYTES))
    if kind == "xlsx":
        return inspect_xlsx(file, limits, given)
    if kind == "csv":
        return inspect_csv(file, limits, given)
    return inspect_json(file, limits, given, kind)


def _decide(found: Dialect, survey: Survey, given: dict[str, Any]) -> Dialect:
    columns = dict(zip(found.columns, survey.evidence, strict=True))
    fallback = "," if found.kind == "csv" and found.delimiter == ";" else "."
    style = decide_style(columns, fallback, typed=found.kind != "csv")
    decided = replace(
        found,
        footer_line=given.get("footer_line", survey.footer_line),
        decimal=style.decimal,
        date_order=style.date_order,
        decimals=style.decimals,
        date_orders=style.date_orders,
        rows=survey.rows,
        notices=(*found.notices, *survey.notices, *style.notices),
    )
    return _apply_style(decided, given)


def _apply_style(dialect: Dialect, given: dict[str, Any]) -> Dialect:
    """A sign or an order for the whole file takes the place of what single columns had."""
    changes = {name: given[name] for name in _STYLE if name in given}
    if "decimal" in given:
        changes.setdefault("decimals", {})
    if "date_order" in given:
        changes.setdefault("date_orders", {})
    return replace(dialect, **changes)


def _check_overrides(given: dict[str, Any], allowed: frozenset[str]) -> None:
    unknown = given.keys() - allowed
    if unknown:
        raise TypeError(f"read_table() cannot override {', '.join(sorted(unknown))} here")
    for name in ("delimiter", "quote", "escape"):
        value = given.get(name)
        if value is not None and (
            len(value) > 1 or value in ("\r", "\n") or (not value and name == "delimiter")
        ):
            raise _bad_choice(name, value)
    for name in ("header_line", "footer_line"):
        value = given.get(name)
        if value is not None and (not isinstance(value, int) or value < (name == "header_line")):
            raise _bad_choice(name, value)
    if given.get("decimal", ".") not in _DECIMAL_SIGNS:
        raise _bad_choice("decimal", given["decimal"])
    if given.get("date_order") not in _DATE_ORDERS:
        raise _bad_choice("date_order", given["date_order"])


def _bad_choice(name: str, value: Any) -> ReadProblem:
    return ReadProblem(
        N_("“%(value)s” cannot be used as %(name)s."),
        N_("Choose one of the offered values."),
        name=name,
        value=value,
    )
