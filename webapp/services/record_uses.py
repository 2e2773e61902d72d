"""What uses a record: the records that refer to it by a field which can be changed."""

from dataclasses import dataclass

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.resources.base import Field, Resource
from webapp.services.record_related import find_referring, where_refers

MOST_RECORDS = 10_000  # by hand; what is more takes an import


@dataclass(frozen=True)
class Use:
    """So many records of a kind refer to a record by a field; or more than can be changed by hand."""

    resource: Resource
    field: Field
    count: int

    @property
    def is_count_exact(self) -> bool:
        """Whether they were counted to the last."""
        return self.count <= MOST_RECORDS


def list_uses(resource: Resource, record_id: int) -> list[Use]:
    """Return what refers to a record, by kind."""
    found = []
    for other, field in find_referring(resource):
        if field.readonly:  # reached through another record, which is the one to change
            continue
        counted = select(other.model.id).where(where_refers(other, field, record_id)).limit(MOST_RECORDS + 1)
        count = db.session.scalar(select(func.count()).select_from(counted.subquery())) or 0
        if count:
            found.append(Use(other, field, count))
    return found
