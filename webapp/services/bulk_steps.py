"""What is done with some of many records in one transaction: removed, or changed in one field.

What cannot be done is said for each record, and the others go on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.errors import Invalid, Problem
from webapp.extensions import db
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import N_, Field, Resource
from webapp.services.queries import RecordQuery
from webapp.services.record_drafts import Draft, list_form_fields
from webapp.services.record_editing import SOURCE
from webapp.services.record_plan import SaveContext
from webapp.services.record_removal import remove_records
from webapp.services.record_shape import get_shape
from webapp.services.records import save_rows
from webapp.services.signals import rows_saved


@dataclass(frozen=True)
class Refusal:
    """A record with which something could not be done, and why."""

    record_id: int
    name: str
    problem: Problem


@dataclass(frozen=True)
class Outcome:
    """With how many records it was done, and why not with some, by their ids. The rest was like that already."""

    done: int
    problems: Mapping[int, Problem]


@dataclass(frozen=True)
class Deletion:
    """Removing records."""

    resource: Resource

    def act(self, session: Session, ids: Sequence[int], actor_id: int, job_id: int | None = None) -> Outcome:
        """Remove what can go in the caller's write transaction."""
        model, context = self.resource.model, SaveContext(actor_id, SOURCE, job_id)
        there = session.scalars(select(model.id).where(model.id.in_(ids))).all()
        problems = remove_records(session, self.resource, there, context)
        if len(there) > len(problems):
            rows_saved.send(self.resource.name, save=context, session=session)
        return Outcome(len(there) - len(problems), problems)


@dataclass(frozen=True)
class Edit:
    """Setting one field; without a value it is emptied."""

    resource: Resource
    field: Field
    value: Any

    def act(self, session: Session, ids: Sequence[int], actor_id: int, job_id: int | None = None) -> Outcome:
        """Change the records in the caller's write transaction, as rows of a file that give their keys and this field."""
        resource, name = self.resource, self.field.name
        query = RecordQuery(resource).select([resource.get_field(part) for part in resource.key])
        found = session.execute(query.where(resource.model.id.in_(ids)).order_by(resource.model.id)).all()
        given = {} if self.value is None else {name: self.value}
        rows = []
        for record in found:
            key = {part: record._mapping[part] for part in resource.key}  # noqa: SLF001 - public in fact
            rows.append(CheckedRow(0, key | given, columns={name: name}))
        context = SaveContext(actor_id, SOURCE, job_id, mode="update", empty="clear")
        plans = save_rows(session, resource, rows, context)
        problems = {
            record.id: plan.row.problems[0].problem
            for record, plan in zip(found, plans, strict=True)
            if plan.action == "failed"
        }
        for record_id in set(ids).difference(record.id for record in found):
            problems[record_id] = Problem(N_("It is gone."))  # somebody has deleted it meanwhile
        return Outcome(sum(plan.action == "updated" for plan in plans), problems)


def list_bulk_fields(resource: Resource) -> list[Field]:
    """Return the fields that many records may have in common: no part of the key, no product's stock."""
    fields = list_form_fields(resource, is_new=False)
    return [item for item in fields if item.name not in resource.key and not item.readonly]


def build_edit(resource: Resource, field_name: str, text: str, decimal: str = ".") -> Edit:
    """Return the edit that sets a field to what a text says; Invalid for what no record could take."""
    chosen = _find_field(resource, field_name)
    text = text.strip()
    if not text and chosen.column not in get_shape(resource).emptied:
        problem = Problem(N_("%(field)s is missing."), N_("Fill it in."), field=chosen.label)
        raise Invalid({chosen.name: problem})
    try:
        return Edit(resource, chosen, chosen.type.parse(text, Draft({}, decimal).style) if text else None)
    except Problem as problem:
        raise Invalid({chosen.name: problem}) from None


def _find_field(resource: Resource, name: str) -> Field:
    fields = {item.name: item for item in list_bulk_fields(resource)}
    if name in fields:
        return fields[name]
    problem = Problem(
        N_("There is no field “%(value)s”."),
        N_("Use one of: %(known)s."),
        value=name,
        known=", ".join(fields),
    )
    raise Invalid({"field": problem})


def name_refusals(resource: Resource, problems: Mapping[int, Problem]) -> list[Refusal]:
    """Return the refused records with what they are called."""
    if not problems:
        return []
    title: Any = getattr(resource.model, resource.title_field)
    query = select(resource.model.id, title).where(resource.model.id.in_(problems))
    names = {row[0]: row[1] for row in db.session.execute(query)}
    return [Refusal(one, names.get(one, str(one)), problem) for one, problem in problems.items()]
