"""More records than somebody can wait for: a job removes them or changes one field of each, in batches.

What it is about is read once, at its beginning: the records that the filters leave by then, but none that was added
after it was asked for. Each batch commits with its progress and with what it had to leave as it was, so whoever stops
it, or takes it up again, sees with how many it was done.
"""

import hashlib
import json
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.database import give_way, write_transaction
from webapp.extensions import db
from webapp.models import TaskNotification, User
from webapp.resources.base import N_, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import Problem
from webapp.services import job_faults, jobs
from webapp.services.accounts import require_role
from webapp.services.bulk_selection import Selection, list_conditions
from webapp.services.bulk_steps import Deletion, Edit, Refusal, build_edit, name_refusals
from webapp.services.import_batches import BatchSize
from webapp.services.job_protocol import JobRun
from webapp.services.unindexed import unindexed

DELETE, EDIT = "bulk_delete", "bulk_edit"
NAMED = 200  # of the records that stay as they were; the others are counted


def request_deletion(actor: User, selection: Selection) -> TaskNotification:
    """Have all that the filters of a list leave deleted."""
    return _request(actor, DELETE, selection, {})


def request_edit(
    actor: User, selection: Selection, field_name: str, text: str, *, decimal: str = "."
) -> TaskNotification:
    """Have one field set of all that the filters of a list leave. Invalid when none could take it."""
    edit = build_edit(selection.resource, field_name, text, decimal)
    text = "" if edit.value is None else edit.field.type.format(edit.value)
    return _request(actor, EDIT, selection, {"field": edit.field.name, "text": text})


def _request(actor: User, task_type: str, selection: Selection, params: dict[str, Any]) -> TaskNotification:
    require_role(actor, "editor")
    model = selection.resource.model
    list_conditions(selection.resource, selection.filters)  # Invalid, while somebody can be told
    asked = {"filters": dict(selection.filters), **params}
    digest = hashlib.sha256(json.dumps([actor.id, task_type, model.__tablename__, asked]).encode())
    with write_transaction() as session:
        last_id = session.scalar(select(func.max(model.id))) or 0
        return jobs.create_job(
            session,
            task_type,
            actor=actor,
            model_name=selection.resource.name,
            params=asked | {"last_id": last_id},
            queue_key=f"bulk:{digest.hexdigest()}",  # a double click asks once
        )


def run_bulk(run: JobRun) -> None:
    """Act on one batch after the other; a job that is taken up again goes on behind its last one."""
    resource = get_resource(run.model_name or "")
    actor = db.session.get(User, run.user_id)
    if actor is None or not actor.is_enabled:
        raise Problem(N_("Who asked for it may not change records any more."))
    require_role(actor, "editor")
    step = _build_step(resource, run)
    ids = _read_ids(resource, run)
    run.set_total(run.processed + len(ids))
    size = BatchSize(run)
    for batch in size.cut(ids):
        with size.measured():
            run.in_batch(lambda session, batch=batch: _act(session, run, step, batch))  # type: ignore[misc]
        give_way()
    with run.batch() as session:
        run.complete(session, record_count=run.counts["updated"])


def _build_step(resource: Resource, run: JobRun) -> Deletion | Edit:
    if run.task_type == DELETE:
        return Deletion(resource)
    return build_edit(resource, run.params["field"], run.params["text"])


def _read_ids(resource: Resource, run: JobRun) -> Sequence[int]:
    """Return what is left to do, found by the filters' indexes and not on a walk through all records."""
    row_id = unindexed(resource.model.id)
    query = select(resource.model.id).where(
        *list_conditions(resource, run.params["filters"]),
        row_id > run.checkpoint.get("done_to", 0),
        row_id <= run.params["last_id"],
    )
    ids = array("q", sorted(db.session.scalars(query)))
    db.session.rollback()
    return ids


def _act(session: Session, run: JobRun, step: Deletion | Edit, ids: Sequence[int]) -> None:
    outcome = step.act(session, list(ids), run.user_id or 0, run.id)
    refused = len(outcome.problems)
    run.processed += len(ids)
    run.counts["updated"] += outcome.done
    run.counts["failed"] += refused
    run.counts["unchanged"] += len(ids) - outcome.done - refused
    known: list[dict[str, Any]] = run.checkpoint.get("refused", [])
    more = dict(list(outcome.problems.items())[: NAMED - len(known)])
    found = [_keep(refusal) for refusal in name_refusals(step.resource, more)]
    run.checkpoint = {"done_to": ids[-1], "refused": known + found}


def _keep(refusal: Refusal) -> dict[str, Any]:
    return {"id": refusal.record_id, "name": refusal.name, "problem": job_faults.keep(refusal.problem)}


def list_refused(job: TaskNotification | None) -> list[Refusal]:
    """Return the first records that a job of many has left as they were, with the reasons."""
    kept: list[Mapping[str, Any]] = (
        (job.checkpoint or {}).get("refused", []) if job and job.task_type in (DELETE, EDIT) else []
    )
    return [Refusal(item["id"], item["name"], job_faults.restore(item["problem"])) for item in kept]
