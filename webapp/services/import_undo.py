"""Taking an applied import back: first shown, then done in batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from webapp.extensions import db
from webapp.models import Change, DataImport, ImportJob, ImportKept
from webapp.models.base import utc_now
from webapp.resources.base import N_
from webapp.resources.types import Problem
from webapp.services.import_kept import Record, Taken, count_kept, name_records
from webapp.services.import_reversal import Reversal, list_job_ids, read_changes, reverse_changes
from webapp.services.job_protocol import JobRun
from webapp.services.record_removal import Gone
from webapp.services.records import SaveContext
from webapp.services.stock import StockLedger

PREVIEWED_CHANGES = 6_000  # more would keep the reader waiting
LISTED = 200
LIST_LIMIT = 100


@dataclass(frozen=True)
class UndoItem:
    """One record, and why it would stay."""

    resource: str
    record_id: int
    key: str
    reason: Problem | None = None


@dataclass(frozen=True)
class UndoPreview:
    """What taking an import back would do. The lists hold the first of each, ``counts`` all of them.

    Of a large import the newest ``looked_at`` of all ``changes`` were tried, which ``counts`` is of.
    """

    removed: Sequence[UndoItem]
    restored: Sequence[UndoItem]
    kept: Sequence[UndoItem]
    counts: dict[str, int]
    changes: int
    looked_at: int

    @property
    def is_complete(self) -> bool:
        """Whether every change was looked at."""
        return self.looked_at >= self.changes


def preview_undo(data_import: DataImport) -> UndoPreview:
    """Return what would be removed, restored and kept now, by trying it without writing."""
    job_ids = list_job_ids(data_import.id)
    total = _count_changes(job_ids, data_import.undone_to)
    context = SaveContext(None, "undo", is_dry=True, ledger=StockLedger(is_dry=True))
    gone, kept, looked_at = Gone(), set[Record](), 0
    taken: list[Taken] = []
    for changes in read_changes(job_ids, data_import.undone_to):
        taken += reverse_changes(db.session(), data_import.id, changes, context, gone, kept)
        looked_at += len(changes)
        if looked_at >= PREVIEWED_CHANGES:
            break
    return _describe(taken, total, looked_at)


def _describe(taken: Sequence[Taken], total: int, looked_at: int) -> UndoPreview:
    by_action: dict[str, list[Taken]] = {"removed": [], "restored": [], "kept": []}
    for item in taken:
        if item.action != "kept" or item.problem is not None:
            by_action[item.action].append(item)
    shown = {action: _list_items(items[:LISTED]) for action, items in by_action.items()}
    counts = {action: len(items) for action, items in by_action.items()}
    return UndoPreview(**shown, counts=counts, changes=total, looked_at=looked_at)


def _list_items(items: Sequence[Taken]) -> list[UndoItem]:
    names = name_records(db.session(), items)
    return [
        UndoItem(change.resource, change.record_id, names[change.resource, change.record_id], item.problem)
        for item in items
        for change in [item.change]
    ]


def _count_changes(job_ids: Sequence[int], done_to: int | None) -> int:
    query = (
        select(func.count())
        .select_from(Change)
        .join(ImportJob, ImportJob.job_id == Change.job_id)
        .where(Change.job_id.in_(job_ids), Change.source == "import", Change.id > ImportJob.after_change)
    )
    return db.session.scalar(query if done_to is None else query.where(Change.id < done_to)) or 0


def list_kept(data_import: DataImport, *, after_id: int = 0, limit: int = LIST_LIMIT) -> Sequence[ImportKept]:
    """Return the records that taking this import back has left as they are, with the reasons."""
    query = select(ImportKept).where(ImportKept.data_import_id == data_import.id, ImportKept.id > after_id)
    return db.session.scalars(query.order_by(ImportKept.id).limit(limit)).all()


def run_undo(run: JobRun) -> None:
    """Take everything back that the jobs of an import have changed; resumes where it was cut off."""
    data_import = db.session.get(DataImport, run.data_import_id)
    if data_import is None or data_import.state not in ("applying", "applied"):
        raise Problem(N_("Only an import that was applied can be taken back."))
    job_ids = list_job_ids(data_import.id)
    run.set_total(run.processed + _count_changes(job_ids, data_import.undone_to))
    Reversal(run, job_ids).reverse_all()
    with run.batch() as session:
        done = _count_done(job_ids)
        kept = count_kept(session, run.data_import_id)
        now = utc_now()
        found = session.get_one(DataImport, run.data_import_id)
        found.report = {**(found.report or {}), "undo": {"job": run.task_id, **done, "kept": kept}}
        session.flush()
        session.execute(
            update(DataImport)
            .where(DataImport.id == run.data_import_id)
            .values(state="undone", undone_at=now, updated_at=now)
        )
        run.counts = {"created": 0, "updated": done["restored"], "unchanged": 0, "failed": kept}
        run.complete(session, record_count=sum(done.values()), total=run.processed)


def _count_done(job_ids: Sequence[int]) -> dict[str, int]:
    query = (
        select(Change.action, func.count())
        .where(Change.job_id.in_(job_ids), Change.source == "undo")
        .group_by(Change.action)
    )
    counts: dict[Any, int] = dict(db.session.execute(query).all())
    return {"removed": counts.get("deleted", 0), "restored": counts.get("updated", 0)}
