"""What was done to users, by whom: kept beside the changes of records, and said in the log."""

import logging
from typing import Any

from sqlalchemy.orm import Session

from webapp.database import after_commit
from webapp.models import Change, User

log = logging.getLogger(__name__)

USERS = "users"  # the resource under which the audit keeps it


def audit_user(
    session: Session,
    actor: User,
    action: str,
    user: User,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Record an action on a user in the transaction that does it. ``before`` and ``after`` hold no secrets."""
    who = {"email": user.email}  # ids are no names: the trail is to be read by people
    session.add(
        Change(
            actor_id=actor.id,
            source="form",
            resource=USERS,
            record_id=user.id,
            action=action,
            before=who | before if before else None,
            after=who | (after or {}),
        )
    )
    actor_id, user_id = actor.id, user.id  # read now: the log is written after the transaction
    after_commit(
        session, lambda: log.info("User %s: %s by user %s. %s", user_id, action, actor_id, after or "")
    )
