"""What is kept under an Idempotency-Key: with a job for as long as that, without one for a day."""

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.jobs import ask
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import ApiRequest, User
from webapp.models.base import utc_now
from webapp.resources.registry import get_resource
from webapp.services import idempotency
from webapp.services.record_entries import create_record

pytestmark = on_both_databases


def make_old(*keys: str) -> None:
    """Have these keys come a little more than a day ago."""
    with write_transaction() as session:
        before = utc_now() - idempotency.OUTCOMES_ARE_KEPT - timedelta(minutes=1)
        session.execute(update(ApiRequest).where(ApiRequest.key.in_(keys)).values(created_at=before))


def test_what_made_no_job_is_forgotten_after_a_day(session: Session, editor: User) -> None:
    brands = get_resource("brands")
    for key in ("old", "new"):
        create_record(editor, brands, {"name": key}, key=key, digest=key)
    job_id = ask(editor)
    with write_transaction() as writing:
        writing.add(ApiRequest(user_id=editor.id, key="export", digest="x", job_id=job_id))
    make_old("old", "export")
    assert idempotency.prune_requests(utc_now()) == 1
    db.session.rollback()
    assert set(db.session.scalars(select(ApiRequest.key))) == {"new", "export"}
    assert create_record(editor, brands, {"name": "third"}, key="old", digest="another") > 0


def test_a_key_is_each_user_s_own(session: Session, editor: User, admin: User) -> None:
    brands = get_resource("brands")
    first = create_record(editor, brands, {"name": "Acme"}, key="k", digest="1")
    assert create_record(admin, brands, {"name": "Bolt"}, key="k", digest="2") != first
    assert create_record(editor, brands, {"name": "Acme"}, key="k", digest="1") == first
