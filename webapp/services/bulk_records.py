"""Many records at once: removed or changed in one field, a few in a transaction, by the paths of one record.

What cannot be done is said for each record, and the others go on.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import select

from webapp.database import write_transaction
from webapp.errors import Conflict, Invalid, NotFound, Problem
from webapp.extensions import db
from webapp.models import User
from webapp.resources.base import N_, Field, Resource
from webapp.resources.types import Reference
from webapp.services.accounts import require_role
from webapp.services.queries import RecordQuery, where_filters
from webapp.services.record_drafts import Draft, format_text, list_form_fields
from webapp.services.record_editing import SOURCE, get_values, take_snapshot, update_record
from webapp.services.record_removal import remove_records
from webapp.services.records import SaveContext

MOST = 2_000  # in one request
CHUNK = 25  # in one transaction, so that others can write in between


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


@dataclass(frozen=True)
class Refusal:
    """A record with which something could not be done, and why."""

    record_id: int
    name: str
    problem: Problem


@dataclass(frozen=True)
class BulkResult:
    """How many records it was done with, how many were like that already, and which stay as they were."""

    done: int
    unchanged: int
    refused: Sequence[Refusal]


def find_selected(selection: Selection, expected: int | None = None) -> list[int]:
    """Return the ids of a selection. Conflict when there are too many, or more than the person was shown."""
    model = selection.resource.model
    query = RecordQuery(selection.resource)
    conditions = (
        where_filters(selection.resource, query, dict(selection.filters))
        if selection.is_everything
        else [model.id.in_(selection.ids[: MOST + 1])]
    )
    found = db.session.scalars(select(model.id).where(*conditions).order_by(model.id).limit(MOST + 1)).all()
    if len(found) > MOST or len(selection.ids) > MOST:
        raise Conflict(N_("At most 2,000 records can be changed at a time. Narrow the list down first."))
    if expected is not None and len(found) > expected:
        raise Conflict(N_("More records match by now than you were shown. Look at the list again."))
    return list(found)


def delete_many(actor: User, selection: Selection, *, expected: int | None = None) -> BulkResult:
    """Delete the records of a selection, and say which stay and why: what others refer to, what is sold already."""
    require_role(actor, "editor")
    resource = selection.resource
    context = SaveContext(actor.id, SOURCE)

    def delete(ids: Sequence[int]) -> tuple[int, dict[int, Problem]]:
        with write_transaction() as session:
            there = session.scalars(select(resource.model.id).where(resource.model.id.in_(ids))).all()
            problems = remove_records(session, resource, there, context)
        return len(there) - len(problems), problems

    return _act(resource, find_selected(selection, expected), delete)


def list_bulk_fields(resource: Resource) -> list[Field]:
    """Return the fields that many records may have in common: no part of the key, no product's stock."""
    fields = list_form_fields(resource, is_new=False)
    return [item for item in fields if item.name not in resource.key and not item.readonly]


def edit_many(
    actor: User,
    selection: Selection,
    field_name: str,
    text: str,
    *,
    decimal: str = ".",
    expected: int | None = None,
) -> BulkResult:
    """Set one field of all records of a selection; an empty text empties it. Invalid when none could take it."""
    require_role(actor, "editor")
    resource = selection.resource
    chosen = _find_field(resource, field_name)
    _check_text(chosen, Draft({chosen.name: text}, decimal))

    def edit(ids: Sequence[int]) -> tuple[int, dict[int, Problem]]:
        done = 0
        problems: dict[int, Problem] = {}
        with write_transaction():
            for record_id in ids:
                try:
                    done += _edit_one(actor, resource, record_id, chosen, text, decimal)
                except Invalid as error:
                    problems[record_id] = next(iter(error.problems.values()))
                except Conflict as error:
                    problems[record_id] = Problem(str(error))
                except NotFound:  # somebody has deleted it meanwhile
                    problems[record_id] = Problem(N_("It is gone."))
        return done, problems

    return _act(resource, find_selected(selection, expected), edit)


def _find_field(resource: Resource, name: str) -> Field:
    for item in list_bulk_fields(resource):
        if item.name == name:
            return item
    known = ", ".join(item.name for item in list_bulk_fields(resource))
    problem = Problem(
        N_("There is no field “%(value)s”."), N_("Use one of: %(known)s."), value=name, known=known
    )
    raise Invalid({"field": problem})


def _check_text(chosen: Field, draft: Draft) -> None:
    """Refuse at once what no record could take."""
    text = draft.texts[chosen.name].strip()
    if not text and chosen.required:
        problem = Problem(N_("%(field)s is missing."), N_("Fill it in."), field=chosen.label)
        raise Invalid({chosen.name: problem})
    try:
        if text:
            chosen.type.parse(text, draft.style)
    except Problem as problem:
        raise Invalid({chosen.name: problem}) from None


def _edit_one(actor: User, resource: Resource, record_id: int, chosen: Field, text: str, decimal: str) -> int:
    values = get_values(resource, record_id)
    texts = {
        item.name: format_text(item, values[item.name], decimal)
        for item in list_form_fields(resource, is_new=False)
    }
    texts[chosen.name] = text
    if isinstance(chosen.type, Reference) and chosen.type.scope:
        texts[chosen.type.scope] = ""  # that of what it was before
    plan = update_record(actor, resource, record_id, Draft(texts, decimal), take_snapshot(resource, values))
    return plan.action == "updated"


Step = Callable[[Sequence[int]], tuple[int, dict[int, Problem]]]


def _act(resource: Resource, ids: Iterable[int], step: Step) -> BulkResult:
    done, total, rest = 0, 0, iter(ids)
    problems: dict[int, Problem] = {}
    while chunk := list(islice(rest, CHUNK)):
        more, refused = step(chunk)
        done, total = done + more, total + len(chunk)
        problems |= refused
        time.sleep(0)  # in web this is where others have their turn
    names = _name(resource, list(problems))
    refusals = [Refusal(one, names.get(one, str(one)), problem) for one, problem in problems.items()]
    return BulkResult(done, total - done - len(problems), refusals)


def _name(resource: Resource, ids: Sequence[int]) -> dict[int, str]:
    title: Any = getattr(resource.model, resource.title_field)
    rows = db.session.execute(select(resource.model.id, title).where(resource.model.id.in_(ids)))
    return {row[0]: row[1] for row in rows}
