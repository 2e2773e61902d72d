"""One record with what hangs on it, for every resource alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.errors import NotFound
from webapp.resources.base import Field, Resource
from webapp.resources.registry import RESOURCES
from webapp.resources.types import Reference
from webapp.routes.records import blueprint
from webapp.services import imports, queries

LAST_MOVEMENTS = 8


@dataclass(frozen=True)
class RelatedList:
    """Records of another kind that point at a record, as a filtered list."""

    resource: Resource
    filters: dict[str, str]
    page: queries.RecordPage


@blueprint.get("/<resource:resource>/<int:record_id>")
def show_record(resource: Resource, record_id: int) -> ResponseReturnValue:
    """Show one record with what hangs on it."""
    record = queries.get_record(resource, record_id)
    if record is None:
        abort(404)
    values = record._mapping  # noqa: SLF001 - public in fact: a row's mapping by name
    last_import = imports.find_last_import(resource.name, record_id)
    return render_template(
        "records/show.html",
        resource=resource,
        record=record,
        values=values,
        related=list(_find_related(resource, values)),
        last_import=last_import,
        can_open_import=last_import is not None and _can_open(last_import.public_id),
    )


def _can_open(public_id: str) -> bool:
    """Whether the reader may see an import: others' are named, not linked."""
    try:
        imports.get_import(current_user, public_id)
    except NotFound:
        return False
    return True


def _find_related(resource: Resource, values: Any) -> Iterator[RelatedList]:
    for other in RESOURCES.values():
        for field in other.fields:
            if isinstance(field.type, Reference) and field.type.resource == resource.name:
                filters = _filters_for(resource, field, values)
                yield RelatedList(
                    other,
                    filters,
                    queries.list_records(other, other.list_fields, filters=filters, limit=LAST_MOVEMENTS),
                )


def _filters_for(resource: Resource, field: Field, values: Any) -> dict[str, str]:
    """Return the filter of another resource's list that finds what points at this record."""
    filters = {field.name: str(values[resource.reference_field])}
    scope = field.type.scope if isinstance(field.type, Reference) else ""
    if scope:
        filters[scope] = str(values[scope])
    return filters
