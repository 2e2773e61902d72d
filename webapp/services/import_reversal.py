"""An import backwards: its changes taken back from the newest to the oldest, batch by batch, exactly once.

Records that somebody else has changed since stay as they are, and so does what is in use or what the
stock needs. Each of them is kept in ``import_kept`` with its reason.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.orm import Session

from webapp.extensions import db
from webapp.models import Change, DataImport, ImportJob, Product, User
from webapp.resources.base import N_
from webapp.resources.registry import get_resource
from webapp.resources.types import Problem
from webapp.services.import_batches import BatchSize
from webapp.services.import_kept import Record, Taken, find_kept, keep
from webapp.services.job_protocol import JobRun
from webapp.services.record_removal import Gone, remove_records
from webapp.services.record_restore import restore_records
from webapp.services.record_shape import get_table
from webapp.services.records import SaveContext
from webapp.services.stock import DIRECTIONS

READ_AT_ONCE = 2_000
ACTIONS = {"created": "removed", "updated": "restored"}


class Reversal:
    """One try at taking back the changes of some jobs of an import."""

    def __init__(self, run: JobRun, job_ids: Sequence[int]) -> None:
        self.run = run
        self.import_id = int(run.data_import_id or 0)
        self.job_ids = job_ids
        self.size = BatchSize(run)
        self.context = SaveContext(run.user_id, "undo", run.id)

    def reverse_all(self) -> None:
        """Take everything back; each batch commits together with the change down to which it came."""
        done_to = db.session.scalar(select(DataImport.undone_to).where(DataImport.id == self.import_id))
        db.session.rollback()
        for changes in read_changes(self.job_ids, done_to):
            for batch in self.size.cut(changes):
                with self.size.measured(), self.run.batch() as session:
                    self._reverse_batch(session, batch)

    def _reverse_batch(self, session: Session, batch: Sequence[Row[Any]]) -> None:
        taken = reverse_changes(session, self.import_id, batch, self.context)
        keep(session, self.import_id, [item for item in taken if item.problem is not None])
        self.run.processed += len(batch)
        self.run.checkpoint = {**self.run.checkpoint, "change": batch[-1].id}
        session.execute(
            update(DataImport).where(DataImport.id == self.import_id).values(undone_to=batch[-1].id)
        )


def list_job_ids(import_id: int) -> list[int]:
    """Return the jobs whose changes belong to an import, those that took it back among them."""
    query = select(ImportJob.job_id).where(ImportJob.data_import_id == import_id)
    return list(db.session.scalars(query.order_by(ImportJob.job_id)))


def read_changes(job_ids: Sequence[int], done_to: int | None = None) -> Iterator[Sequence[Row[Any]]]:
    """Yield what imports have changed, newest first, from below the change down to which it is done."""
    columns = (
        Change.id,
        Change.line,
        Change.resource,
        Change.record_id,
        Change.action,
        Change.before,
        Change.after,
    )
    for job_id in sorted(job_ids, reverse=True):
        first = db.session.scalar(select(ImportJob.after_change).where(ImportJob.job_id == job_id))
        while first is not None:
            query = select(*columns).where(
                Change.job_id == job_id, Change.source == "import", Change.id > first
            )
            if done_to is not None:
                query = query.where(Change.id < done_to)
            found = db.session.execute(query.order_by(Change.id.desc()).limit(READ_AT_ONCE)).all()
            db.session.rollback()
            if not found:
                break
            yield found
            done_to = found[-1].id


def reverse_changes(
    session: Session,
    import_id: int,
    changes: Sequence[Row[Any]],
    context: SaveContext,
    gone: Gone | None = None,
    kept: set[Record] | None = None,
) -> list[Taken]:
    """Take some changes back, in their order, and return what became of each. A dry run writes nothing.

    ``gone`` and ``kept`` carry a dry run from one call to the next.
    """
    if not context.is_dry:
        _lock_products(session, changes)
    kept = find_kept(session, import_id, changes) if kept is None else kept
    since = _find_later_changes(session, import_id, changes)
    taken: list[Taken] = []
    for group in _group(changes):
        taken += [_keep_one(change, since, kept) for change in group if _is_kept(change, since, kept)]
        open_ = [change for change in group if not _is_kept(change, since, kept)]
        if not open_:
            continue
        resource, action = get_resource(open_[0].resource), open_[0].action
        if action == "created":
            problems = remove_records(session, resource, [one.record_id for one in open_], context, gone)
        else:
            problems = restore_records(session, resource, open_, context, gone)
        kept |= {(resource.name, record_id) for record_id in problems}
        taken += [
            Taken(one, "kept" if one.record_id in problems else ACTIONS[action], problems.get(one.record_id))
            for one in open_
        ]
    return taken


def _lock_products(session: Session, changes: Sequence[Row[Any]]) -> None:
    """Lock all products of a batch at its beginning, in order of their ids, as the saving of rows does."""
    wanted = {change.record_id for change in changes if change.resource == "products"}
    for name in DIRECTIONS:
        ids = [change.record_id for change in changes if change.resource == name]
        table = get_table(get_resource(name))
        wanted |= set(session.scalars(select(table.c.product_id).where(table.c.id.in_(ids)).distinct()))
    if wanted:
        query = select(Product.id).where(Product.id.in_(wanted)).order_by(Product.id).with_for_update()
        session.execute(query).all()


def _group(changes: Sequence[Row[Any]]) -> Iterator[list[Row[Any]]]:
    """Put neighbours of one kind together, cut where a record comes again."""
    for _, neighbours in groupby(changes, key=lambda change: (change.resource, change.action)):
        group: list[Row[Any]] = []
        seen: set[int] = set()
        for change in neighbours:
            if change.record_id in seen:
                yield group
                group, seen = [], set()
            seen.add(change.record_id)
            group.append(change)
        yield group


def _find_later_changes(
    session: Session, import_id: int, changes: Sequence[Row[Any]]
) -> dict[Record, Row[Any]]:
    """Return the newest change of each record that is somebody else's."""
    own = select(ImportJob.job_id).where(ImportJob.data_import_id == import_id)
    found: dict[Record, Row[Any]] = {}
    for resource in {change.resource for change in changes}:
        newest = (
            select(func.max(Change.id))
            .where(
                Change.resource == resource,
                Change.record_id.in_({one.record_id for one in changes if one.resource == resource}),
                Change.id > min(change.id for change in changes),
                or_(Change.job_id.is_(None), Change.job_id.not_in(own)),
            )
            .group_by(Change.record_id)
        )
        query = select(Change.id, Change.record_id, Change.action, User.email).outerjoin(
            User, User.id == Change.actor_id
        )
        rows: Any = session.execute(query.where(Change.id.in_(newest)))
        found |= {(resource, row.record_id): row for row in rows}
    return found


def _is_kept(change: Row[Any], since: dict[Record, Row[Any]], kept: set[Record]) -> bool:
    record = (change.resource, change.record_id)
    return record in kept or (record in since and since[record].id > change.id)


def _keep_one(change: Row[Any], since: dict[Record, Row[Any]], kept: set[Record]) -> Taken:
    record = (change.resource, change.record_id)
    if record in kept:
        return Taken(change, "kept")  # it was said with a newer change of the same record
    kept.add(record)
    later = since[record]
    user = later.email or "–"
    if later.action == "deleted":
        return Taken(change, "kept", Problem(N_("It was deleted since by %(user)s."), user=user))
    return Taken(change, "kept", Problem(N_("It was changed since by %(user)s."), user=user))
