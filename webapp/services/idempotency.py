"""Asking twice asks once: the job of a request is found again by the key that came with it (Idempotency-Key)."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.errors import Invalid
from webapp.extensions import db
from webapp.models import ApiRequest, TaskNotification, User
from webapp.resources.base import N_
from webapp.resources.types import Problem

LONGEST_KEY = 255
FIELD = "Idempotency-Key"


def find_answered(actor: User, key: str, digest: str) -> TaskNotification | None:
    """Return the job of the request that came with this key before.

    Invalid when that request was another one, or when the key cannot be kept.
    """
    if not key:
        return None
    if len(key) > LONGEST_KEY:
        raise Invalid({FIELD: Problem(N_("The key is longer than %(limit)s characters."), limit=LONGEST_KEY)})
    query = select(ApiRequest.digest, TaskNotification).join(
        TaskNotification, TaskNotification.id == ApiRequest.job_id
    )
    found = db.session.execute(query.where(ApiRequest.user_id == actor.id, ApiRequest.key == key)).first()
    if found is None:
        return None
    if found.digest != digest:
        raise Invalid(
            {
                FIELD: Problem(
                    N_("This key came with another request before."),
                    N_("Send a new key with what is a new request."),
                )
            }
        )
    job: TaskNotification = found.TaskNotification
    return job


def create_once(
    actor: User, key: str, digest: str, create: Callable[[Session], TaskNotification]
) -> TaskNotification:
    """Return the job of the request with this key: the one there is, or the one that ``create`` adds.

    The key is kept in the job's own transaction. Without a key every request is a new one.
    """
    try:
        with write_transaction() as session:
            if (found := find_answered(actor, key, digest)) is not None:
                return found
            job = create(session)
            if key:
                session.add(ApiRequest(user_id=actor.id, key=key, digest=digest, job_id=job.id))
                session.flush()
            return job
    except IntegrityError:  # the same request was quicker; PostgreSQL lets both begin
        if (found := find_answered(actor, key, digest)) is None:
            raise
        return found
