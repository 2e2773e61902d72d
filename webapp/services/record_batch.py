"""Many records in one request, saved as an import's rows are: a few in a transaction, each with its outcome."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.models import User
from webapp.resources.base import N_, Resource
from webapp.resources.types import Problem, fold_key
from webapp.services.accounts import require_role
from webapp.services.idempotency import open_request
from webapp.services.import_options import check_options
from webapp.services.job_faults import is_rolled_back
from webapp.services.record_entries import SOURCE, Values, make_row
from webapp.services.record_plan import Plan, SaveContext
from webapp.services.records import save_rows
from webapp.services.stock import DIRECTIONS

log = logging.getLogger(__name__)

CHUNK = 200  # in one transaction, so that others can write in between
TRIES = 5  # of a chunk that the database rolled back because it met another transaction
PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Outcome:
    """What became of one record of a batch: its place from 1, created, updated, unchanged or failed, and why."""

    line: int
    status: str
    record_id: int | None = None
    problems: Sequence[tuple[str, Problem]] = ()


@dataclass(frozen=True)
class Batch:
    """Records of one kind by their places, and what may become of them."""

    resource: Resource
    entries: Mapping[int, Values]
    mode: str = "upsert"
    create_missing: Sequence[str] = ()

    def make_context(self, actor: User) -> SaveContext:
        """Return how its rows are saved."""
        missing = frozenset(self.create_missing)
        return SaveContext(actor.id, SOURCE, mode=self.mode, empty="clear", create_missing=missing)


def save_batch(actor: User, batch: Batch, *, key: str = "", digest: str = "") -> list[Outcome]:
    """Save records by their keys and return what became of each, in order; what fails takes nothing with it.

    The outcomes are kept with each transaction under ``key``: the same request sent again goes on after what
    is saved, and answers the same. Invalid when the choices are none.
    """
    require_role(actor, "editor")
    check_options(batch.resource, {"mode": batch.mode, "create_missing": batch.create_missing})
    saving = _Saving(actor, batch, key, digest)
    while not saving.is_done:
        saving.save_chunk()
        time.sleep(0)  # in web this is where others have their turn
    return [_read_outcome(kept) for kept in saving.outcomes]


class _Saving:
    """A batch on its way into the database."""

    def __init__(self, actor: User, batch: Batch, key: str, digest: str) -> None:
        self.actor = actor
        self.batch = batch
        self.key = key
        self.digest = digest
        self.lines = list(batch.entries)
        self.repeated = _find_repeated(batch)
        self.outcomes: list[dict[str, Any]] = []
        self.is_done = False

    def save_chunk(self) -> None:
        """Save the next records in one transaction, again when it met another one head-on."""
        for tries_left in reversed(range(TRIES)):
            try:
                with write_transaction() as session:
                    outcomes = self._save_next(session)
            except DBAPIError as error:
                if not tries_left or not is_rolled_back(error):
                    raise
                log.info("A batch met another transaction and was rolled back; it is done again.")
                time.sleep(PAUSE_SECONDS)
            else:
                self.outcomes = outcomes
                self.is_done = len(outcomes) == len(self.lines)
                return

    def _save_next(self, session: Session) -> list[dict[str, Any]]:
        kept = open_request(session, self.actor, self.key, self.digest)
        done = self.outcomes if kept is None else list(kept.outcomes or ())
        lines = self.lines[len(done) : len(done) + CHUNK]
        rows = [make_row(self.batch.resource, line, self.batch.entries[line]) for line in lines]
        for row in rows:
            if row.line in self.repeated:
                row.add_problem(self.batch.resource.key[0], self.repeated[row.line])
        plans = (
            save_rows(session, self.batch.resource, rows, self.batch.make_context(self.actor)) if rows else []
        )
        outcomes = [*done, *map(_write_outcome, plans)]
        if kept is not None:
            kept.outcomes = outcomes
        return outcomes


def _find_repeated(batch: Batch) -> dict[int, Problem]:
    """Return why a movement is not taken whose key came on an earlier line: it would be counted once."""
    if batch.resource.name not in DIRECTIONS:
        return {}
    first: dict[tuple[str, ...], int] = {}
    found = {}
    for line, values in batch.entries.items():
        parts = [values.get(name) for name in batch.resource.key]
        if not all(parts):
            continue
        earlier = first.setdefault(tuple(fold_key(str(part)) for part in parts), line)
        if earlier != line:
            found[line] = Problem(
                N_("The same reference and product stand on line %(line)s."),
                N_("Remove one of the two."),
                line=earlier,
            )
    return found


def _write_outcome(plan: Plan) -> dict[str, Any]:
    """Return an outcome as JSON keeps it."""
    problems = [
        [item.column, item.problem.message, item.problem.advice, _plain(item.problem.params)]
        for item in plan.row.problems
    ]
    record_id = plan.record_id if plan.action != "failed" else None
    return {"line": plan.row.line, "status": plan.action, "id": record_id, "problems": problems}


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else str(value) for name, value in params.items()}


def _read_outcome(kept: Mapping[str, Any]) -> Outcome:
    problems = [(name, Problem(text, advice, **params)) for name, text, advice, params in kept["problems"]]
    return Outcome(kept["line"], kept["status"], kept["id"], problems)
