"""What a form holds of one record: texts, as a person reads and types them, and the values they stand for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webapp.extensions import settings
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import N_, Field, Resource
from webapp.resources.types import DateTime, Money, Problem, Reference, Style
from webapp.services.import_mapping import mappable_fields


@dataclass(frozen=True)
class Draft:
    """The texts of a form by field name, and the sign between its whole numbers and decimals."""

    texts: Mapping[str, str]
    decimal: str = "."

    @property
    def style(self) -> Style:
        """How the texts are written: dates in the house's zone."""
        return Style(decimal=self.decimal, timezone=settings().zone)


def list_form_fields(resource: Resource, *, is_new: bool) -> list[Field]:
    """Return what a form asks for. A product's quantity is its opening stock, and later no matter of a form."""
    fields = mappable_fields(resource)
    return [field for field in fields if is_new or (resource.name, field.name) != ("products", "quantity")]


def format_text(field: Field, value: Any, decimal: str = ".") -> str:
    """Return the text of a value as a form's control has it."""
    if isinstance(field.type, DateTime) and value is not None:
        local = value.astimezone(settings().zone).replace(tzinfo=None, microsecond=0)
        return str(local.isoformat(timespec="seconds" if local.second else "minutes"))
    if isinstance(field.type, Money):
        return field.type.format(value, Style(decimal=decimal))
    return field.type.format(value)


def read_draft(
    resource: Resource, draft: Draft, *, is_new: bool, stored: Mapping[str, Any] | None = None
) -> CheckedRow:
    """Return the values of a draft as a row that can be saved, with a problem for each that cannot be taken.

    ``stored`` are the values of the record that it changes: a date whose text is the stored one's keeps
    the seconds, and the offset of an hour that comes twice.
    """
    fields = list_form_fields(resource, is_new=is_new)
    texts = {field.name: draft.texts.get(field.name, "").strip() for field in fields}
    row = CheckedRow(0, {}, raw=texts, columns={field.name: field.name for field in fields})
    for field in fields:
        text = texts[field.name]
        kept = (stored or {}).get(field.name)
        if not text:
            if field.required:
                problem = Problem(N_("%(field)s is missing."), N_("Fill it in."), field=field.label)
                row.add_problem(field.name, problem)
        elif isinstance(field.type, DateTime) and text == format_text(field, kept):
            row.values[field.name] = kept
        else:
            _parse(row, field, text, draft.style)
    check_scopes(resource, row)
    return row


def _parse(row: CheckedRow, field: Field, text: str, style: Style) -> None:
    try:
        row.values[field.name] = field.type.parse(text, style)
    except Problem as problem:
        row.add_problem(field.name, problem)


def check_scopes(resource: Resource, row: CheckedRow) -> None:
    """Refuse what only decides between records, where none is named: it would be lost without a word."""
    for field in resource.writable_fields:
        if not isinstance(field.type, Reference) or not field.type.scope or row.raw.get(field.name):
            continue
        scope = resource.get_field(field.type.scope)
        if scope.readonly and row.raw.get(scope.name):
            problem = Problem(
                N_("%(field)s is kept with the %(kind)s alone."),
                N_("Choose the %(kind)s too, or leave both empty."),
                field=scope.label,
                kind=field.label,
            )
            row.add_problem(field.name, problem)


def list_problems(row: CheckedRow) -> dict[str, Problem]:
    """Return the first problem of each field, in the order in which they were found."""
    found: dict[str, Problem] = {}
    for item in row.problems:
        found.setdefault(item.column, item.problem)
    return found
