"""What takes the place of a record, where others refer to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from webapp.errors import Invalid
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import N_
from webapp.resources.types import Problem
from webapp.services.record_editing import SOURCE
from webapp.services.record_plan import SaveContext
from webapp.services.record_references import resolve_references
from webapp.services.record_shape import get_shape
from webapp.services.record_uses import Use
from webapp.services.stock import StockLedger


@dataclass(frozen=True)
class Replacement:
    """What takes a record's place: the key that others would write, with what decides between equal ones."""

    key: str
    scope: str = ""


def check_may_be_empty(uses: Sequence[Use]) -> None:
    """Raise Invalid when one of the fields cannot be left empty."""
    for use in uses:
        if use.field.required:
            problem = Problem(
                N_("%(field)s is missing."), N_("Choose what takes its place."), field=use.field.label
            )
            raise Invalid({"replacement": problem})


def find_replacement(
    session: Session, use: Use, replacement: Replacement | None, record_id: int
) -> int | None:
    """Return the id of what takes the place; Invalid when it is not found, or is the record itself."""
    if replacement is None:
        return None
    reference: Any = use.field.type
    values = {use.field.name: replacement.key.strip()}
    if reference.scope and replacement.scope.strip():
        values[reference.scope] = replacement.scope.strip()
    row = CheckedRow(0, dict(values))
    context = SaveContext(None, SOURCE)
    shape = get_shape(use.resource)
    if not values[use.field.name]:
        problem = Problem(
            N_("%(field)s is missing."), N_("Choose what takes its place."), field=use.field.label
        )
        raise Invalid({"replacement": problem})
    resolve_references(session, shape, [row], context, StockLedger(is_dry=True))
    if row.problems:
        raise Invalid({"replacement": row.problems[0].problem})
    found = int(row.values[use.field.column])
    if found == record_id:
        raise Invalid({"replacement": Problem(N_("That is the record itself."), N_("Choose another one."))})
    return found


def check_keys(session: Session, use: Use, record_id: int, new_id: int | None) -> None:
    """Raise Invalid when what uses a record would get the key of another one, such as a model's name in its brand."""
    if use.field.name not in use.resource.key:
        return
    shape, column = get_shape(use.resource), use.field.column
    mine, other = shape.table, shape.table.alias()
    same = [other.c[name] == mine.c[name] for name in shape.key_columns if name != column]
    query = select(mine.c[use.resource.reference_field])
    query = query.join(other, and_(other.c[column] == new_id, *same)).where(mine.c[column] == record_id)
    name = session.scalar(query.order_by(mine.c.id).limit(1))
    if name is not None:
        raise Invalid({"replacement": describe_taken(use, name)})


def describe_taken(use: Use, name: str) -> Problem:
    """Return that what would be changed meets another record of its name."""
    return Problem(
        N_("There it would meet another %(kind)s, “%(value)s”."),
        N_("Rename or delete one of the two first."),
        kind=use.resource.label,
        value=name,
    )
