"""Saved exports: named, kept, run again with one click or at their hours.

They belong to who saved them; administrators see those of others and change none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from webapp.database import write_transaction
from webapp.errors import Forbidden, Invalid, NotFound
from webapp.extensions import db, settings
from webapp.models import REPEATS, SavedExport, TaskNotification, User
from webapp.models.base import utc_now
from webapp.resources.base import N_
from webapp.resources.types import Problem, clean_text, fold_key
from webapp.services.accounts import require_role
from webapp.services.export_requests import check_request, create_export
from webapp.services.export_schedules import Repeat

LONGEST_NAME = 80
BY_HAND = Repeat("never")


@dataclass(frozen=True)
class Draft:
    """What somebody wants to save."""

    name: str
    resource_name: str
    file_format: str
    fields: Sequence[str] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    repeat: Repeat = BY_HAND


def list_saved(actor: User) -> Sequence[SavedExport]:
    """Return the actor's own saved exports by name."""
    query = select(SavedExport).where(SavedExport.user_id == actor.id)
    return db.session.scalars(query.order_by(SavedExport.name_key)).all()


def list_of_others(actor: User, *, limit: int = 100) -> Sequence[SavedExport]:
    """Return what others let run by itself, soonest first; Forbidden to all but administrators."""
    require_role(actor, "admin")
    query = (
        select(SavedExport)
        .where(SavedExport.user_id != actor.id, SavedExport.repeat != "never")
        .options(joinedload(SavedExport.user))
        .order_by(SavedExport.next_run_at.is_(None), SavedExport.next_run_at, SavedExport.id)
    )
    return db.session.scalars(query.limit(limit)).all()


def get_saved(actor: User, saved_id: int) -> SavedExport:
    """Return a saved export that the actor may see: their own, or any for an administrator."""
    saved = db.session.get(SavedExport, saved_id)
    if saved is None or not (saved.user_id == actor.id or actor.is_admin):
        raise NotFound(saved_id)
    return saved


def _get_own(actor: User, saved_id: int) -> SavedExport:
    saved = get_saved(actor, saved_id)
    if saved.user_id != actor.id:
        raise Forbidden(saved_id)
    return saved


def create_saved(actor: User, draft: Draft) -> SavedExport:
    """Save an export under a name of the actor's own. Invalid says what is wrong with it."""
    params = _check(draft)
    with write_transaction() as session:
        saved = SavedExport(user_id=actor.id, created_at=utc_now())
        _fill(session, saved, draft, params)
        session.add(saved)
        session.flush()
        return saved


def update_saved(actor: User, saved_id: int, draft: Draft) -> SavedExport:
    """Change a saved export; its next run is counted from now, and a stopped one goes on."""
    _get_own(actor, saved_id)
    params = _check(draft)
    with write_transaction() as session:
        saved = _get_own(actor, saved_id)
        _fill(session, saved, draft, params)
        return saved


def delete_saved(actor: User, saved_id: int) -> None:
    """Delete a saved export; the files that it made stay for their time."""
    with write_transaction() as session:
        session.delete(_get_own(actor, saved_id))


def run_saved(actor: User, saved_id: int, language: str = "") -> TaskNotification:
    """Start the export now. Invalid when it can no longer be made as it was saved."""
    params = check_saved(_get_own(actor, saved_id))
    with write_transaction() as session:
        saved = _get_own(actor, saved_id)
        job = create_export(
            session, actor, saved.model_name, saved.file_format, params | {"language": language}
        )
        note_run(saved, job)
        return job


def check_saved(saved: SavedExport) -> dict[str, Any]:
    """Return the params of its job, as they are right today: fields and limits may have changed."""
    return check_request(saved.model_name, saved.file_format, **saved.params)


def note_run(saved: SavedExport, job: TaskNotification) -> None:
    """Remember the newest run."""
    saved.last_run_at, saved.last_task_id, saved.note = utc_now(), job.task_id, None


def get_repeat(saved: SavedExport) -> Repeat:
    """Return how often a saved export runs by itself."""
    return Repeat(saved.repeat, saved.hour, saved.weekday, saved.day)


def find_next_run(repeat: Repeat, now: datetime) -> datetime | None:
    """Return when it runs next, by the clocks of the house."""
    return repeat.find_next(now, settings().zone)


def parse_repeat(kind: str, hour: str = "", weekday: str = "", day: str = "") -> Repeat:
    """Return a Repeat of what a form holds; Problem when it is none."""
    try:
        found = Repeat(kind or "never", int(hour or 6), int(weekday or 0), int(day or 1))
    except ValueError:
        found = None
    if (
        found is None
        or found.kind not in REPEATS
        or not (0 <= found.hour <= 23 and 0 <= found.weekday <= 6 and 1 <= found.day <= 31)
    ):
        raise Problem(
            N_("That is not a time at which an export can run."),
            N_("Choose daily, weekly or monthly, and an hour."),
        )
    return found


def _check(draft: Draft) -> dict[str, Any]:
    name = clean_text(draft.name)
    problems = {}
    if not name:
        problems["name"] = Problem(
            N_("The saved export has no name."), N_("Give it one that you will know again.")
        )
    elif len(name) > LONGEST_NAME:
        problems["name"] = Problem(
            N_("The name is longer than %(limit)s characters."), N_("Shorten it."), limit=LONGEST_NAME
        )
    if problems:
        raise Invalid(problems)
    # How many rows there are today does not matter: it runs on other days.
    return check_request(
        draft.resource_name,
        draft.file_format,
        fields=draft.fields,
        filters=draft.filters,
        sort=draft.sort,
        options=draft.options,
        must_fit=False,
    )


def _fill(session: Session, saved: SavedExport, draft: Draft, params: dict[str, Any]) -> None:
    name = clean_text(draft.name)
    twin = select(SavedExport.id).where(
        SavedExport.user_id == saved.user_id, SavedExport.name_key == fold_key(name)
    )
    if saved.id is not None:
        twin = twin.where(SavedExport.id != saved.id)
    with session.no_autoflush:
        if session.scalar(twin) is not None:
            raise Invalid(
                {
                    "name": Problem(
                        N_("You have already saved an export named “%(value)s”."),
                        N_("Give it another name, or change that one."),
                        value=name,
                    )
                }
            )
    now = utc_now()
    saved.name, saved.name_key = name, fold_key(name)
    saved.model_name, saved.file_format, saved.params = draft.resource_name, draft.file_format, params
    saved.repeat, saved.hour = draft.repeat.kind, draft.repeat.hour
    saved.weekday, saved.day = draft.repeat.weekday, draft.repeat.day
    saved.next_run_at, saved.note, saved.updated_at = find_next_run(draft.repeat, now), None, now
