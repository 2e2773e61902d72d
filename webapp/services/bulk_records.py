"""Many records while somebody waits: removed or changed in one field, some in a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.database import give_way, write_transaction
from webapp.models import User
from webapp.resources.base import Resource
from webapp.services.accounts import require_role
from webapp.services.bulk_selection import Selection, find_selected
from webapp.services.bulk_steps import Deletion, Edit, Refusal, build_edit, name_refusals

CHUNK = 100  # in one transaction, so that others can write in between


@dataclass(frozen=True)
class BulkResult:
    """How many records it was done with, how many were like that already, and which stay as they were."""

    done: int
    unchanged: int
    refused: Sequence[Refusal]


def delete_many(actor: User, selection: Selection, *, expected: int | None = None) -> BulkResult:
    """Delete the records of a selection, and say which stay and why: what others refer to, what is sold already."""
    require_role(actor, "editor")
    return _act(actor, selection.resource, find_selected(selection, expected), Deletion(selection.resource))


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
    edit = build_edit(selection.resource, field_name, text, decimal)
    return _act(actor, selection.resource, find_selected(selection, expected), edit)


def _act(actor: User, resource: Resource, ids: Sequence[int], step: Deletion | Edit) -> BulkResult:
    done, refused = 0, list[Refusal]()
    for start in range(0, len(ids), CHUNK):
        with write_transaction() as session:
            outcome = step.act(session, ids[start : start + CHUNK], actor.id)
        done += outcome.done
        refused += name_refusals(resource, outcome.problems)
        give_way()
    return BulkResult(done, len(ids) - done - len(refused), refused)
