"""The records of each kind, at addresses of their own: listed and looked at here, with what else can be done."""

from typing import Any

from webapp.api.blueprint import ApiBlueprint
from webapp.api.record_answers import ETAG, RECORD, Answer, answer_page, answer_record
from webapp.api.record_batches import add_batches
from webapp.api.record_schemas import RecordSchemas, build_schemas
from webapp.api.record_writes import add_writing
from webapp.resources.base import Resource
from webapp.resources.registry import RESOURCES


def build_blueprint(resource: Resource) -> ApiBlueprint:
    """Return the part of the API that one kind of record is."""
    blueprint = ApiBlueprint(resource.name, __name__, description=f"{resource.label_plural}, as records.")
    schemas = build_schemas(resource)
    add_reading(blueprint, resource, schemas)
    add_writing(blueprint, resource, schemas)
    add_batches(blueprint, resource, schemas)
    return blueprint


def add_reading(blueprint: ApiBlueprint, resource: Resource, schemas: RecordSchemas) -> None:
    """Add the addresses of the list and of one record."""

    @blueprint.get(f"/{resource.name}")
    @blueprint.arguments(schemas.query, location="query")
    @blueprint.response(200, schemas.page)
    def list_records(query: dict[str, Any]) -> dict[str, Any]:
        """List records.

        Narrow them down as on the list page, by parameters that are all to be met; `next` leads through all of
        them, and neither skips nor repeats one that stays as it is. Of a search's matches the best thousand come.
        """
        return answer_page(resource, query)

    @blueprint.get(RECORD.format(resource.name))
    @blueprint.response(200, schemas.record, headers=ETAG)
    def show_record(record_id: int) -> Answer:
        """Look at one record."""
        return answer_record(resource, record_id)


BLUEPRINTS = tuple(build_blueprint(resource) for resource in RESOURCES.values())
