"""Which of several conditions SQLite shall begin at: the one that fewest records meet.

PostgreSQL has figures about values and finds out by itself. SQLite only knows how many records have a value on
average: of a kind a third, though nearly all are purchases, and of an amount "or more" nothing at all.
"""

from collections.abc import Mapping

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.resources.base import Field, Resource
from webapp.services.record_counts import COUNT_LIMIT
from webapp.services.record_filters import find_bounded, where_filters
from webapp.services.record_query import RecordQuery


def find_lead(resource: Resource, filters: Mapping[str, str]) -> Field | None:
    """Return the field whose conditions alone leave the fewest records; None where it does not matter, or all leave many.

    Each is counted through its own index, no further than lists count.
    """
    alone = _divide(resource, filters) if db.engine.dialect.name == "sqlite" else {}
    if len(alone) < 2:
        return None
    model = resource.model
    counts = []
    for own in alone.values():
        few = select(model.id).where(*where_filters(resource, RecordQuery(resource), own)).limit(COUNT_LIMIT)
        counts.append(select(func.count()).select_from(few.subquery()).scalar_subquery())
    count, lead = min(
        zip(db.session.execute(select(*counts)).one(), alone, strict=True), key=lambda pair: pair[0]
    )
    return lead if count < COUNT_LIMIT else None


def _divide(resource: Resource, filters: Mapping[str, str]) -> dict[Field, dict[str, str]]:
    """Return the filters of each field that has an index."""
    firsts = {next(iter(index.columns.keys())) for index in resource.model.__table__.indexes}
    fields = {field.name: field for field in resource.fields}
    alone: dict[Field, dict[str, str]] = {}
    for name, text in filters.items():
        field = fields.get(name) or find_bounded(resource, name)
        if field is not None and field.column in firsts and text:
            alone.setdefault(field, {})[name] = text
    return alone
