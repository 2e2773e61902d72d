"""From the text of a file's rows to values: mapped, parsed, every problem kept with its column.

What needs the database (references, keys, stock) is checked by the service that saves the rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from webapp.pipeline.read_evidence import is_damaged_number
from webapp.resources.base import N_, Field
from webapp.resources.types import PLAIN, Problem, Style, shortened


@dataclass(frozen=True)
class ColumnRule:
    """Where a field's value comes from: a column of the file, else a default for every row.

    ``values`` replaces what the file says by what is meant (``Bebidas`` → ``Beverages``).
    """

    column: str | None = None
    default: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RowProblem:
    """Why a row cannot be taken. ``column`` is the file's header, "" for the row as a whole."""

    column: str
    value: str
    problem: Problem


@dataclass
class CheckedRow:
    """One row: its line in the file, its values by field name, and what is wrong with it.

    A field that the file does not give, or gives empty, has no value here. ``columns`` tells from
    which header a field came, for the messages.
    """

    line: int
    values: dict[str, Any]
    problems: list[RowProblem] = field(default_factory=list)
    raw: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)

    def add_problem(self, field_name: str, problem: Problem) -> None:
        """Say what is wrong with a field's value, in terms of the file."""
        column = self.columns.get(field_name, field_name)
        self.problems.append(RowProblem(column, str(self.raw.get(column, "")), problem))


def parse_mapping(
    fields: Sequence[Field], mapping: Mapping[str, Any], columns: Sequence[str]
) -> dict[str, ColumnRule]:
    """Return a rule a field from ``{field: column | {"column", "default", "values"}}``.

    Raises Problem for a field or a column that does not exist, and for a required field without a
    source: nothing is silently ignored.
    """
    known = {item.name: item for item in fields}
    rules: dict[str, ColumnRule] = {}
    for name, rule in mapping.items():
        if name not in known:
            raise Problem(
                N_("There is no field “%(value)s”."),
                N_("Use one of: %(known)s."),
                value=name,
                known=", ".join(known),
            )
        made = _parse_rule(rule)
        if made.column and made.column not in columns:
            raise Problem(
                N_("The file has no column “%(value)s”."),
                N_("It has: %(known)s."),
                value=made.column,
                known=", ".join(columns),
            )
        if made.column or made.default:
            rules[name] = made
    if not rules:
        raise Problem(N_("No column is used."), N_("Choose a column for at least one field."))
    return rules


def _parse_rule(rule: Any) -> ColumnRule:
    if rule is None or isinstance(rule, str):
        return ColumnRule(rule or None)
    return ColumnRule(
        rule.get("column") or None, str(rule.get("default") or ""), dict(rule.get("values") or {})
    )


def check_rows(
    rows: Iterable[tuple[int, Mapping[str, str]]],
    fields: Sequence[Field],
    rules: Mapping[str, ColumnRule],
    styles: Mapping[str, Style],
    keys: Sequence[str] = (),
) -> list[CheckedRow]:
    """Parse each row's mapped cells; a row keeps all its problems, not only the first.

    ``styles`` tells how a column writes numbers and dates; the plain way where it says nothing.
    ``keys`` names the fields that tell records apart: there a code that a spreadsheet has turned
    into a shortened number is refused, because it would make a record of its own.
    """
    used = [(item, rules[item.name]) for item in fields if item.name in rules]
    columns = {item.name: rule.column for item, rule in used if rule.column}
    checked = []
    for line, raw in rows:
        row = CheckedRow(line, {}, [], raw, columns)
        for item, rule in used:
            text = _cell(raw, rule)
            if not text:
                continue
            try:
                if item.name in keys and is_damaged_number(text):
                    raise shortened(text)
                row.values[item.name] = item.type.parse(text, styles.get(rule.column or "", PLAIN))
            except Problem as problem:
                row.add_problem(item.name, problem)
        checked.append(row)
    return checked


def _cell(raw: Mapping[str, str], rule: ColumnRule) -> str:
    text = raw.get(rule.column, "").strip() if rule.column else ""
    return rule.values.get(text, text) or rule.default


def missing(field: Field) -> Problem:
    """The problem of a required field without a value."""
    return Problem(
        N_("%(field)s is missing."), N_("Fill it in, or set a default for the column."), field=field.label
    )
