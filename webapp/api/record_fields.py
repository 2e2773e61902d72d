"""The value of a record's field as JSON, as its declaration says: what it looks like, how it comes in and goes out."""

import re
from typing import Any

from flask_babel import gettext as _
from marshmallow import ValidationError, fields

from webapp.api.fields import format_moment
from webapp.api.problems import explain
from webapp.extensions import settings
from webapp.resources.base import N_, Field, Resource
from webapp.resources.types import (
    INTEGER_LIMIT,
    Choice,
    DateTime,
    Email,
    FieldType,
    Integer,
    Money,
    Problem,
    Reference,
    Style,
    Text,
)

# A file may say 1,234.50 or 31/01/2026 and is asked what it means; a script has one way to say each.
AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)


class FieldValue(fields.Field[Any]):
    """One field of a record. What comes in is parsed as the text of a file is; nothing, or no text, is None."""

    def __init__(
        self, declared: Field, *, is_nullable: bool, is_answer: bool = False, **options: Any
    ) -> None:
        metadata = describe_value(declared, is_nullable=is_nullable)
        if is_answer:
            metadata.pop("minimum", None)  # a stock may have fallen below what may be asked for
        super().__init__(allow_none=is_nullable, metadata=metadata, **options)
        self.declared = declared

    def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if value is None:
            return None
        kind = self.declared.type
        if isinstance(kind, Money):
            return kind.format(value)
        return format_moment(value) if isinstance(kind, DateTime) else value

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = self._read_text(value)
        if text:
            check_spelling(self.declared.type, text)
            try:
                return self.declared.type.parse(text, Style(timezone=settings().zone))
            except Problem as problem:
                raise ValidationError(explain(problem)) from None
        if not self.declared.required:
            return None
        missing = Problem(N_("%(field)s is missing."), N_("Fill it in."), field=self.declared.label)
        raise ValidationError(explain(missing))

    def _read_text(self, value: Any) -> str:
        """Return the text of a value that is of the right kind in JSON."""
        kind = self.declared.type
        if isinstance(kind, Integer):
            if not isinstance(value, int) or isinstance(value, bool):
                raise ValidationError(N_("Not a valid integer."))
            return str(value)
        if isinstance(value, str):
            return value.strip()
        if isinstance(kind, Money):
            raise ValidationError(_("Send an amount as text, such as “4.90”: a number may lose digits."))
        raise ValidationError(N_("Not a valid string."))


def check_spelling(kind: FieldType, text: str) -> None:
    """Refuse what a parser of files would guess the meaning of."""
    if isinstance(kind, Money) and not AMOUNT.fullmatch(text):
        problem = Problem(
            N_("“%(value)s” is no amount."),
            N_("Write it with digits and a point, such as 1234.56."),
            value=text,
        )
        raise ValidationError(explain(problem))
    if isinstance(kind, DateTime) and not MOMENT.fullmatch(text):
        problem = Problem(
            N_("“%(value)s” is no date or moment."), N_("Write it as 2026-01-31T14:30:00Z."), value=text
        )
        raise ValidationError(explain(problem))


def describe_value(declared: Field, *, is_nullable: bool) -> dict[str, Any]:
    """Return what the specification says of a field: its type, its limits and what it is for."""
    kind = declared.type
    found: dict[str, Any] = {"type": "string", "title": declared.label}
    if isinstance(kind, Integer):
        found |= {"type": "integer", "maximum": INTEGER_LIMIT}
        found |= {} if kind.minimum is None else {"minimum": kind.minimum}
    elif isinstance(kind, Money):
        sign = "-?" if kind.minimum is None else ""
        found |= {"format": "decimal", "pattern": rf"^{sign}[0-9]{{1,14}}(\.[0-9]{{1,4}})?$"}
    elif isinstance(kind, DateTime):
        found["format"] = "date-time"
    elif isinstance(kind, Choice):
        found["enum"] = [*kind.options, *([None] if is_nullable else [])]
    elif isinstance(kind, Text | Reference):
        found["maxLength"] = kind.max_length
        found |= {"format": "email"} if isinstance(kind, Email) else {}
    if help_text := _tell(declared):
        found["description"] = help_text
    if declared.example and not isinstance(kind, Integer | DateTime):
        found["example"] = declared.example
    return found


def _tell(declared: Field) -> str:
    kind = declared.type
    if not isinstance(kind, Reference):
        return declared.help
    own = f"The key of one of the {kind.resource}."
    return f"{declared.help} {own}" if declared.help else own


def is_nullable(resource: Resource, declared: Field) -> bool:
    """Whether a record may have no value in this field."""
    if declared.path:  # reached through another record, which may be missing
        return True
    return bool(resource.model.__table__.c[declared.column].nullable)
