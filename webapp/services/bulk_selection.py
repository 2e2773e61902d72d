"""Which of many records something is done with: ticked ones, or all that the filters of a list leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, select

from webapp.errors import Conflict
from webapp.extensions import db
from webapp.resources.base import N_, Resource
from webapp.services.queries import RecordQuery, where_filters
from webapp.services.record_counts import count_records, estimate_records

MOST = 2_000  # in one request; what is more is done by a job
COUNTED = 50_000  # one by one, for whoever is about to change them


@dataclass(frozen=True)
class Selection:
    """Some records of one kind: those of these ids, or all that the filters of a list leave."""

    resource: Resource
    ids: tuple[int, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    is_everything: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was selected."""
        return not self.ids and not self.is_everything


def list_conditions(resource: Resource, filters: Mapping[str, str]) -> list[ColumnElement[bool]]:
    """Return the conditions of the filters of a list, for a plain query of its records."""
    return where_filters(resource, RecordQuery(resource), dict(filters))


def find_selected(selection: Selection, expected: int | None = None) -> list[int]:
    """Return the ids of a selection. Conflict when there are too many, or more than the person was shown."""
    model = selection.resource.model
    conditions: list[Any] = (
        list_conditions(selection.resource, selection.filters)
        if selection.is_everything
        else [model.id.in_(selection.ids[: MOST + 1])]
    )
    found = db.session.scalars(select(model.id).where(*conditions).order_by(model.id).limit(MOST + 1)).all()
    if expected is not None and len(found) > expected:
        raise Conflict(N_("More records match by now than you were shown. Look at the list again."))
    if len(found) > MOST or len(selection.ids) > MOST:
        raise Conflict(N_("At most 2,000 records can be ticked at a time."))
    return list(found)


def count_selected(selection: Selection) -> tuple[int, bool]:
    """Return how many records a selection has, and whether that is exact: of very many it is an estimate."""
    if not selection.is_everything:
        return len(find_selected(selection)), True
    resource, filters = selection.resource, dict(selection.filters)
    conditions = where_filters(resource, RecordQuery(resource, may_join=True), filters)
    count, is_exact = count_records(resource.model, conditions, COUNTED)
    if is_exact:
        return count, True
    own = RecordQuery(resource, walks_down=resource.get_field(resource.key[0]))  # the sample is by id
    return estimate_records(resource.model, where_filters(resource, own, filters)), False
