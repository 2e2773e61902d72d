"""Asking twice asks once: what came of a request is found again by the key that came with it (Idempotency-Key)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.errors import Invalid
from webapp.extensions import db
from webapp.models import ApiRequest, TaskNotification, User
from webapp.resources.base import N_
from webapp.resources.types import Problem
from webapp.services.upsert import upsert

LONGEST_KEY = 255
FIELD = "Idempotency-Key"
OUTCOMES_ARE_KEPT = timedelta(days=1)  # of requests that made no job
SWEEP_LIMIT = 1_000


def find_answered(actor: User, key: str, digest: str) -> TaskNotification | None:
    """Return the job of the request that came with this key before.

    Invalid when that request was another one, or when the key cannot be kept.
    """
    if not key:
        return None
    _check_key(key)
    query = select(ApiRequest.digest, TaskNotification).outerjoin(
        TaskNotification, TaskNotification.id == ApiRequest.job_id
    )
    found = db.session.execute(query.where(ApiRequest.user_id == actor.id, ApiRequest.key == key)).first()
    if found is None:
        return None
    _check_digest(found.digest, digest)
    job: TaskNotification = found.TaskNotification
    return job


def open_request(session: Session, actor: User, key: str, digest: str) -> ApiRequest | None:
    """Return what is kept of the request with this key, a new one at first; None without a key.

    It is locked until the caller's commit, so that the same request waits where it comes twice at once, and
    then goes on after the outcomes that there are.
    """
    if not key:
        return None
    _check_key(key)
    values = {"user_id": actor.id, "key": key, "digest": digest, "outcomes": []}
    session.execute(upsert(session, ApiRequest).values(values).on_conflict_do_nothing())
    query = select(ApiRequest).where(ApiRequest.user_id == actor.id, ApiRequest.key == key)
    kept = session.scalars(query.with_for_update(), execution_options={"populate_existing": True}).one()
    _check_digest(kept.digest, digest)
    return kept


def prune_requests(now: datetime) -> int:
    """Forget what came of old requests that made no job; return how many."""
    with write_transaction() as session:
        old = select(ApiRequest.id).where(
            ApiRequest.job_id.is_(None), ApiRequest.created_at < now - OUTCOMES_ARE_KEPT
        )
        ids = session.scalars(old.order_by(ApiRequest.id).limit(SWEEP_LIMIT)).all()
        session.execute(delete(ApiRequest).where(ApiRequest.id.in_(ids)))
        return len(ids)


def _check_key(key: str) -> None:
    if len(key) > LONGEST_KEY:
        raise Invalid({FIELD: Problem(N_("The key is longer than %(limit)s characters."), limit=LONGEST_KEY)})


def _check_digest(kept: str, digest: str) -> None:
    if kept != digest:
        problem = Problem(
            N_("This key came with another request before."), N_("Send a new key with what is a new request.")
        )
        raise Invalid({FIELD: problem})


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
