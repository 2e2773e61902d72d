"""The schemas of each kind of record, made from its declaration: what is asked for and what is answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from marshmallow import ValidationError, fields, validate

from webapp.api.blueprint import ApiSchema
from webapp.api.fields import Moment
from webapp.api.problems import explain
from webapp.api.record_fields import FieldValue, check_spelling, is_nullable
from webapp.resources.base import N_, Resource
from webapp.resources.types import Choice, DateTime, FieldType, Problem, Reference
from webapp.services.import_mapping import mappable_fields
from webapp.services.queries import label_filter, list_filter_names
from webapp.services.record_filters import LOWER, UPPER

USUAL_RECORDS, MOST_RECORDS = 50, 500  # of a page
LONGEST_CURSOR = 2_000
STAMPS = ("version", "created_at", "updated_at")  # what a record has beside its fields and id
FLAGS = frozenset({"low_stock"})  # filters that are either asked for or not
DAYS = frozenset({"no_movement_since"})
NAMED = {
    "q": "Words that all stand in the record.",
    "ids": "Ids with commas between.",
    "low_stock": "Only products at their reorder level or below it.",
    "no_movement_since": "A day: only products that neither came in nor went out since.",
}

SchemaClass = type[ApiSchema]


@dataclass(frozen=True)
class RecordSchemas:
    """The schemas of one kind of record."""

    record: SchemaClass
    page: SchemaClass
    query: SchemaClass
    new: SchemaClass
    change: SchemaClass
    row: SchemaClass


def build_schemas(resource: Resource) -> RecordSchemas:
    """Return the schemas of a resource, named after what one record is called in the code."""
    return RecordSchemas(
        record=_build_record(resource, is_whole=True),
        page=_build_page(resource, _build_record(resource, is_whole=False)),
        query=_build_query(resource),
        new=_build_input(resource, "New", "to create", [item.name for item in resource.fields]),
        change=_build_input(resource, "Change", "what is to be another", []),
        row=_build_input(resource, "Row", "one of a batch, with its key", resource.key),
    )


def make_schema(resource: Resource, suffix: str, about: str, values: dict[str, Any]) -> SchemaClass:
    """Return a schema that stands in the specification by the kind's name and a suffix."""
    name = f"{resource.model.__name__}{suffix}Schema"
    return type(name, (ApiSchema,), {"__doc__": about, "__module__": __name__, **values})


def _build_record(resource: Resource, *, is_whole: bool) -> SchemaClass:
    """In a list the caller may have chosen fields, so that there only the id is always there."""
    values: dict[str, Any] = {"id": fields.Integer(required=True)}
    for item in resource.fields:
        values[item.name] = FieldValue(
            item, is_nullable=is_nullable(resource, item), is_answer=True, required=is_whole
        )
    values["version"] = fields.Integer(
        required=is_whole,
        metadata={"description": "Grows with each change; quoted, it is the record's ETag."},
    )
    values["created_at"] = Moment(required=is_whole)
    values["updated_at"] = Moment(required=is_whole)
    about = f"{resource.label_plural}: a record" + (
        "." if is_whole else " with the fields that were asked for."
    )
    return make_schema(resource, "" if is_whole else "Item", about, values)


def _build_input(resource: Resource, suffix: str, about: str, asked_for: Sequence[str]) -> SchemaClass:
    """What can be sent; of what a record must have, these fields must be named."""
    values = {
        item.name: FieldValue(
            item, is_nullable=not item.required, required=item.required and item.name in asked_for
        )
        for item in mappable_fields(resource)
    }
    return make_schema(resource, suffix, f"{resource.label_plural}: {about}.", values)


def _build_page(resource: Resource, item: SchemaClass) -> SchemaClass:
    values = {
        "items": fields.List(fields.Nested(item), required=True),
        "next": fields.String(
            required=True,
            allow_none=True,
            metadata={"description": "The address of the next page; null on the last one."},
        ),
        "count": fields.Integer(required=True, metadata={"description": "How many there are on all pages."}),
        "is_count_exact": fields.Boolean(
            required=True, metadata={"description": "False: there are so many at least."}
        ),
    }
    return make_schema(resource, "List", f"A page of {resource.label_plural.lower()}.", values)


class Names(fields.Field[list[str]]):
    """Names of fields in one text, with commas between."""

    def __init__(self, known: list[str], **options: Any) -> None:
        super().__init__(**options)
        self.known = known

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[str]:
        names = [name.strip() for name in str(value).split(",") if name.strip()]
        for name in names:
            if name not in self.known:
                problem = Problem(
                    N_("There is no field “%(value)s”."),
                    N_("Use one of: %(known)s."),
                    value=name,
                    known=", ".join(self.known),
                )
                raise ValidationError(explain(problem))
        return names


def _build_query(resource: Resource) -> SchemaClass:
    """Everything that the address of the list page may say, and which fields to answer."""
    known = ["id", *(item.name for item in resource.fields), *STAMPS]
    sortable = [item.name for item in resource.fields if item.sortable]
    values: dict[str, Any] = {name: _build_filter(resource, name) for name in list_filter_names(resource)}
    values["sort"] = fields.String(
        validate=validate.OneOf([*sortable, *(f"-{name}" for name in sortable)]),
        metadata={
            "description": "A field; with - before it, downwards. Without one, as the list page has it."
        },
    )
    values["fields"] = Names(
        known,
        metadata={"type": "string", "description": "The fields to answer, with commas between; all else."},
    )
    values["cursor"] = fields.String(
        validate=validate.Length(1, LONGEST_CURSOR), metadata={"description": "As the link next has it."}
    )
    values["limit"] = fields.Integer(load_default=USUAL_RECORDS, validate=validate.Range(1, MOST_RECORDS))
    return make_schema(resource, "Query", "Which records, in which order, with which fields.", values)


def _build_filter(resource: Resource, name: str) -> fields.Field[Any]:
    metadata: dict[str, Any] = {"description": NAMED.get(name) or f"{label_filter(resource, name)}."}
    if name in FLAGS:
        return fields.Boolean(metadata=metadata)
    bare = name.removesuffix(LOWER).removesuffix(UPPER)
    declared = next((item for item in resource.fields if item.name == bare), None)
    if declared is None:
        check = partial(_check_filter, DateTime()) if name in DAYS else None
        return fields.String(metadata=metadata, validate=check)
    if isinstance(declared.type, Choice):
        metadata["enum"] = list(declared.type.options)
    elif isinstance(declared.type, Reference):
        metadata["description"] = f"The key of one of the {declared.type.resource}."
    elif isinstance(declared.type, DateTime):
        metadata["description"] += " A day or a moment; without a zone, in that of the house."
    return fields.String(metadata=metadata, validate=partial(_check_filter, declared.type))


def _check_filter(kind: FieldType, text: str) -> None:
    if text.strip():
        check_spelling(kind, text.strip())
