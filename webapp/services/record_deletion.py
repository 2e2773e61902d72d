"""Deleting one record by hand: what uses it is said first, and may be given another one in its place."""

from webapp.database import write_transaction
from webapp.errors import Invalid
from webapp.extensions import db
from webapp.models import User
from webapp.resources.base import Resource
from webapp.resources.types import Problem
from webapp.services.accounts import require_role
from webapp.services.record_editing import (
    SOURCE,
    EditConflict,
    Snapshot,
    get_values,
    list_differences,
    take_snapshot,
)
from webapp.services.record_plan import SaveContext
from webapp.services.record_removal import remove_records
from webapp.services.signals import rows_saved


def check_deletion(resource: Resource, record_id: int) -> Problem | None:
    """Return why a record cannot be deleted as things are, or None."""
    context = SaveContext(None, SOURCE, is_dry=True)
    return remove_records(db.session(), resource, [record_id], context).get(record_id)


def check_unchanged(resource: Resource, record_id: int, seen: Snapshot) -> int:
    """Return a record's version if it is what somebody saw, as a product is that was sold meanwhile; else EditConflict."""
    current = take_snapshot(resource, get_values(resource, record_id))
    if current.version != seen.version and list_differences(seen, current):
        raise EditConflict(current)
    return current.version


def delete_record(
    actor: User,
    resource: Resource,
    record_id: int,
    version: int | None = None,
    *,
    seen: Snapshot | None = None,
    source: str = SOURCE,
) -> None:
    """Delete a record; Invalid says why it stays.

    If a version is given, only at that one (Outdated); if what somebody has ``seen``, only as that (EditConflict).
    """
    require_role(actor, "editor")
    context = SaveContext(actor.id, source)
    with write_transaction() as session:
        if seen is not None:
            version = check_unchanged(resource, record_id, seen)
        problem = remove_records(session, resource, [record_id], context, version=version).get(record_id)
        if problem is not None:
            raise Invalid({"": problem})
        rows_saved.send(resource.name, save=context, session=session)
