"""From the text of a file's rows to values: mapped, parsed, every problem kept with its column.

What needs the database (references, keys, stock) is checked by the service that saves the rows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Any

from webapp.pipeline.read_evidence import is_damaged_number
from webapp.resources.base import N_, Field
from webapp.resources.types import PLAIN, Problem, Style, Text, shortened

if TYPE_CHECKING:
    from webapp.pipeline.read_table import Chunk

MEMO_TEXTS = 10_000  # so many texts of a column are remembered with their values


@dataclass(frozen=True)
class ColumnRule:
    """Where a field's value comes from: a column of the file, else a default for every row.

    ``values`` replaces what the file says by what is meant (``Bebidas`` → ``Beverages``).
    """

    column: str | None = None
    default: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row cannot be taken. ``column`` is the file's header, "" for the row as a whole."""

    column: str
    value: str
    problem: Problem


class RawRow(Mapping[str, str]):
    """What a file says in one row, by header. ``places`` tells the cell of each header."""

    __slots__ = ("cells", "places")

    def __init__(self, places: Mapping[str, int], cells: Sequence[str]) -> None:
        self.places = places
        self.cells = cells

    def __getitem__(self, header: str) -> str:
        return self.cells[self.places[header]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


@dataclass(slots=True)
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


class Checker:
    """Turns the rows of a file into values, a column at a time: a text that comes again is parsed once.

    ``styles`` tells how a column writes numbers and dates; the plain way where it says nothing.
    A number that a spreadsheet has shortened is refused in every field but a long text: a code, a
    name or a telephone number would be stored without its digits.
    """

    def __init__(
        self, fields: Sequence[Field], rules: Mapping[str, ColumnRule], styles: Mapping[str, Style]
    ) -> None:
        used = [(item, rules[item.name]) for item in fields if item.name in rules]
        self.columns = {item.name: rule.column for item, rule in used if rule.column}
        self.parsers = [_Parser(item, rule, styles.get(rule.column or "", PLAIN)) for item, rule in used]

    def check_chunk(self, chunk: "Chunk") -> list[CheckedRow]:
        """Return the rows of a chunk; what is wrong with a row as such comes first among its problems."""
        rows = self.check_texts(chunk.lines, chunk.columns)
        if chunk.problems:
            for row in rows:
                if row.line in chunk.problems:
                    row.problems.insert(0, RowProblem("", "", chunk.problems[row.line]))
        return rows

    def check_texts(self, lines: Sequence[int], texts: Mapping[str, Sequence[str]]) -> list[CheckedRow]:
        """Return rows from the texts of each column; a row keeps all its problems, not only the first."""
        places = {name: place for place, name in enumerate(texts)}
        empty = [""] * len(lines)
        names = [parser.field.name for parser in self.parsers]
        values = [parser.parse_all(texts.get(parser.rule.column or "", empty)) for parser in self.parsers]
        raws = map(RawRow, repeat(places), zip(*texts.values(), strict=True))
        named = map(dict, map(zip, repeat(names), zip(*values, strict=True)))
        rows = [
            CheckedRow(line, given, [], raw, self.columns)
            for line, given, raw in zip(lines, named, raws, strict=True)
        ]
        for parser, column in zip(self.parsers, values, strict=True):
            parser.take_out(rows, column)
        return rows


class _Known(dict[str, Any]):
    """Texts with what they stand for, which is found out when one comes for the first time."""

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self.parse = parse

    def __missing__(self, text: str) -> Any:
        value = self[text] = self.parse(text)
        return value


class _Parser:
    """One field's column, with the texts that it has met."""

    def __init__(self, item: Field, rule: ColumnRule, style: Style) -> None:
        self.field = item
        self.rule = rule
        self.style = style
        self.is_long_text = isinstance(item.type, Text) and item.type.multiline
        self.is_straight = not rule.values and not rule.default
        self.known = _Known(self._parse)
        self.has_gaps = self.has_problems = False

    def parse_all(self, texts: Sequence[str]) -> Sequence[Any]:
        """Return the value of each text: None where there is nothing, a Problem where it cannot be taken."""
        if self.is_straight and texts and self._are_values(texts):
            return self._trim(texts)
        if len(self.known) > MEMO_TEXTS:
            self.known.clear()
            self.has_gaps = self.has_problems = False
        return list(map(self.known.__getitem__, texts))

    def _are_values(self, texts: Sequence[str]) -> bool:
        joined = "\n".join(texts)
        if "+" in joined and not self.is_long_text:  # one may be a damaged number
            return False
        return self.field.type.takes_as_they_are(joined, max(map(len, texts)))

    def _trim(self, texts: Sequence[str]) -> Sequence[str | None]:
        trimmed = list(map(str.strip, texts))
        if "" not in trimmed:
            return trimmed
        self.has_gaps = True
        return [text or None for text in trimmed]

    def _parse(self, text: str) -> Any:
        text = text.strip()
        text = self.rule.values.get(text, text) or self.rule.default
        if not text:
            self.has_gaps = True
            return None
        try:
            if not self.is_long_text and text[-1].isdigit() and is_damaged_number(text):
                raise shortened(text)
            return self.field.type.parse(text, self.style)
        except Problem as problem:
            self.has_problems = True
            return problem.with_traceback(None)  # it stays: the frames that raised it need not

    def take_out(self, rows: Sequence[CheckedRow], values: Sequence[Any]) -> None:
        """Leave the rows without this field where it is empty or wrong, and say what is wrong."""
        name = self.field.name
        if self.has_gaps:
            for row, value in zip(rows, values, strict=True):
                if value is None:
                    del row.values[name]
        if self.has_problems:
            for row, value in zip(rows, values, strict=True):
                if isinstance(value, Problem):
                    del row.values[name]
                    row.add_problem(name, value)


def check_rows(
    rows: Iterable[tuple[int, Mapping[str, str]]],
    fields: Sequence[Field],
    rules: Mapping[str, ColumnRule],
    styles: Mapping[str, Style],
) -> list[CheckedRow]:
    """Check a few rows that come one by one, by line; see ``Checker``."""
    given = list(rows)
    headers = list(dict.fromkeys(header for _, raw in given for header in raw))
    texts = {header: [raw.get(header, "") for _, raw in given] for header in headers}
    return Checker(fields, rules, styles).check_texts([line for line, _ in given], texts)


def missing(field: Field) -> Problem:
    """The problem of a required field without a value."""
    return Problem(
        N_("%(field)s is missing."), N_("Fill it in, or set a default for the column."), field=field.label
    )
