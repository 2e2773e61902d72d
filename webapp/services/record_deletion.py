"""Deleting one record by hand: what uses it is said first, and may be given another one in its place."""

from webapp.database import write_transaction
from webapp.errors import Invalid, Outdated
from webapp.extensions import db
from webapp.models import User
from webapp.resources.base import N_, Resource
from webapp.resources.types import Problem
from webapp.services.accounts import require_role
from webapp.services.record_editing import SOURCE, get_values
from webapp.services.record_plan import SaveContext
from webapp.services.record_removal import remove_records
from webapp.services.signals import rows_saved


def check_deletion(resource: Resource, record_id: int) -> Problem | None:
    """Return why a record cannot be deleted as things are, or None."""
    context = SaveContext(None, SOURCE, is_dry=True)
    return remove_records(db.session(), resource, [record_id], context).get(record_id)


def check_unchanged(resource: Resource, record_id: int, version: int) -> None:
    """Raise Outdated when a record is no longer at the version at which somebody saw it."""
    if get_values(resource, record_id)["version"] != version:
        raise Outdated(N_("It was changed meanwhile. Look at it again before you delete it."))


def delete_record(
    actor: User, resource: Resource, record_id: int, version: int | None = None, *, source: str = SOURCE
) -> None:
    """Delete a record, if a version is given only at that one (Outdated); Invalid says why it stays."""
    require_role(actor, "editor")
    context = SaveContext(actor.id, source)
    with write_transaction() as session:
        if version is not None:
            check_unchanged(resource, record_id, version)
        problem = remove_records(session, resource, [record_id], context, version=version).get(record_id)
        if problem is not None:
            raise Invalid({"": problem})
        rows_saved.send(resource.name, save=context, session=session)
