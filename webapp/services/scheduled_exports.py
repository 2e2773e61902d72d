"""Saved exports at their hours: each slot once, however many consumers look.

A house that slept catches up the newest slot that it missed, and no older one.
"""

import logging
from datetime import datetime
from typing import NoReturn

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from webapp.database import write_transaction
from webapp.errors import Invalid
from webapp.extensions import db, settings
from webapp.models import SavedExport, TaskNotification, User
from webapp.resources.base import N_
from webapp.resources.types import Problem
from webapp.services import jobs, saved_exports
from webapp.services.export_requests import create_export
from webapp.services.job_protocol import JobRun, carry_out, owner_name
from webapp.services.periodic import claim_slot

log = logging.getLogger(__name__)

AT_ONCE = 200  # a minute's work; what is left is due a minute later
NEEDED_ROLE = "viewer"


def run_due(now: datetime) -> int:
    """Start every saved export whose hour has come; return how many were started."""
    due = select(SavedExport.id).where(SavedExport.next_run_at <= now).order_by(SavedExport.next_run_at)
    found = db.session.scalars(due.limit(AT_ONCE)).all()
    started = 0
    for saved_id in found:
        try:
            started += _run_slot(saved_id, now)
        except SQLAlchemyError:  # the others have their hours too, and this one is due in a minute again
            log.warning("The saved export %s could not be started.", saved_id, exc_info=True)
    return started


def _run_slot(saved_id: int, now: datetime) -> bool:
    """Start one saved export, unless another consumer has its slot; whether it was started here."""
    problem = _find_problem(saved_id)
    with write_transaction() as session:
        saved = session.get(SavedExport, saved_id, populate_existing=True)
        if saved is None or saved.next_run_at is None or saved.next_run_at > now:
            return False  # deleted or changed meanwhile, or started by somebody else
        repeat = saved_exports.get_repeat(saved)
        slot = repeat.find_last(now, settings().zone) or saved.next_run_at
        if not claim_slot(session, f"saved-export-{saved.id}", slot):
            return False
        saved.next_run_at = saved_exports.find_next_run(repeat, now)
        if obstacle := _find_obstacle(saved.user):
            saved.next_run_at, saved.note = None, _write_note(obstacle)
            return False
        job = _create_job(saved, problem)
        saved_exports.note_run(saved, job)
        saved.note = _write_note(problem) if problem else None
        refused = JobRun(job, lambda: False) if problem else None
    if refused is not None and problem is not None:
        _refuse(refused, problem)
        return False
    return True


def _find_problem(saved_id: int) -> Problem | None:
    """Return why it cannot be made today, looked up before the write lock is taken."""
    saved = db.session.get(SavedExport, saved_id)
    try:
        if saved is not None:
            saved_exports.check_saved(saved)
    except Invalid as error:
        return next(iter(error.problems.values()))
    return None


def _find_obstacle(owner: User) -> Problem | None:
    """Return why this owner's exports no longer run by themselves."""
    if not owner.is_enabled:
        return Problem(
            N_("It no longer runs by itself: its owner's account is disabled."),
            N_("Once the account is enabled, save it again."),
        )
    if not owner.has_role(NEEDED_ROLE):
        return Problem(
            N_("It no longer runs by itself: its owner may not export any more."),
            N_("Once the role allows it, save it again."),
        )
    return None


def _create_job(saved: SavedExport, problem: Problem | None) -> TaskNotification:
    """Add the run's job. One that cannot be made runs here, to fail where its owner is told."""
    params = saved.params | {"language": saved.user.language or ""}
    with write_transaction() as session:
        if problem is None:
            return create_export(session, saved.user, saved.model_name, saved.file_format, params)
        return jobs.create_job(
            session,
            "export",
            actor=saved.user,
            model_name=saved.model_name,
            file_format=saved.file_format,
            params=params,
            claimed_by=owner_name(),
        )


def _refuse(run: JobRun, problem: Problem) -> None:
    def body(_run: JobRun) -> NoReturn:
        raise problem

    carry_out(run, body)


def _write_note(problem: Problem) -> dict[str, object]:
    return {"message": problem.message, "advice": problem.advice, "params": problem.params}
