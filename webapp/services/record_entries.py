"""Records as scripts write them: values by field name. What is left out stays as it is, None empties it."""

from collections.abc import Mapping
from typing import Any

from webapp.database import write_transaction
from webapp.errors import Invalid
from webapp.models import User
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import Resource
from webapp.services.accounts import require_role
from webapp.services.idempotency import open_request
from webapp.services.record_drafts import check_scopes, list_problems
from webapp.services.record_editing import Editing
from webapp.services.record_plan import Plan, SaveContext
from webapp.services.records import save_rows

SOURCE = "api"

Values = Mapping[str, Any]


def make_row(resource: Resource, line: int, values: Values) -> CheckedRow:
    """Return values as a row that can be saved: as an import has it, with a problem where they contradict."""
    given = {name: value for name, value in values.items() if value is not None}
    raw = {name: str(value) for name, value in given.items()}
    row = CheckedRow(line, given, raw=raw, columns={name: name for name in values})
    check_scopes(resource, row)
    return row


def create_record(actor: User, resource: Resource, values: Values, *, key: str = "", digest: str = "") -> int:
    """Save a new record and return its id; Invalid says what is wrong, field by field.

    A request whose ``key`` came before has made its record already.
    """
    require_role(actor, "editor")
    row = make_row(resource, 0, values)
    context = SaveContext(actor.id, SOURCE, mode="create")
    with write_transaction() as session:
        kept = open_request(session, actor, key, digest)
        if kept is not None and kept.outcomes:
            return int(kept.outcomes[0]["id"])
        (plan,) = save_rows(session, resource, [row], context)
        if plan.action == "failed":
            raise Invalid(list_problems(row))
        if kept is not None:
            kept.outcomes = [{"id": plan.record_id}]
    return plan.record_id


def update_record(
    actor: User, resource: Resource, record_id: int, values: Values, version: int | None = None
) -> Plan:
    """Change what the values give of a record and return what became of it.

    Outdated when it is no longer at ``version``, Invalid says what is wrong, NotFound that it is gone.
    """
    require_role(actor, "editor")
    row = make_row(resource, 0, values)
    with write_transaction() as session:
        editing = Editing(session, resource, record_id, SaveContext(actor.id, SOURCE, empty="clear"))
        return editing.save_row(row, version)
