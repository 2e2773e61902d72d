"""A trial of the job protocol: workers that fail as planned, and the verdict on what is left in the database."""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from tasks.queue import bell, huey
from tests.support.factories import quantity_of, stock_up
from tests.support.faults import VARIABLE, Fault, Plan
from tests.support.imports import check, counts, upload
from tests.support.jobs import look_at, outcomes
from tests.support.processes import wait_until
from tests.support.stack import Stack, Started, procfile_command
from webapp import live
from webapp.extensions import db
from webapp.models import Change, DataImport, Event, JobAttempt, Outflow, TaskNotification, User
from webapp.models.clock import db_now
from webapp.services import imports, stock

ROWS = 60
LEFT_OVER = 500  # what must remain in stock: enough for rows that come twice
FIRST_LINE = 2
ENDED = ("completed", "failed", "cancelled")
PATIENCE = 60.0

# Shorter than those of the other tests: here leases are meant to run out.
TIMINGS = {
    "LEASE_SECONDS": "1.5",
    "HEARTBEAT_SECONDS": "0.3",
    "RELAY_SECONDS": "0.2",
    "RETRY_DELAY_SECONDS": "0.5",
    "FROZEN_SECONDS": "300",  # most tests thaw what they froze
    "BATCH_SECONDS": "30",
}


@dataclass
class Trial:
    """One house, its workers and the import that they quarrel about."""

    stack: Stack
    actor: User
    folder: Path
    workers: list[Started] = field(default_factory=list)
    stocked: int = 0

    def start_worker(
        self,
        *faults: Fault,
        without: Sequence[str] = (),
        children: int = 2,
        tick_seconds: float = 0,
        batch_rows: int = 10,
        version: str = "",
        **settings: str,
    ) -> Started:
        """Start a consumer that has this in store for its jobs. Without ticks nothing periodic runs."""
        plan = Plan(self.folder, faults, tuple(without), batch_rows, tick_seconds, version)
        options = ["-w", str(children), "-c", "0.2", *([] if tick_seconds else ["-n"])]
        variables = TIMINGS | settings | {VARIABLE: plan.to_text()}
        command = [_own_worker(part) for part in procfile_command("worker")]
        self.workers.append(self.stack.start("worker", [*command, *options], **variables))
        return self.workers[-1]

    def prepare_import(self, rows: int = ROWS) -> DataImport:
        """Upload and check sales without references: nothing but the protocol keeps them from doubling."""
        self.stocked = rows + LEFT_OVER
        stock_up("A", quantity=self.stocked)
        return check(self.actor, upload(self.actor, "outflows", "product,quantity\n" + "A,1\n" * rows))

    def start_import(self, prepared: DataImport) -> int:
        """Ask for the rows to be saved, and return the job."""
        return imports.start_import(self.actor, prepared.public_id).id

    def ask_import(self, rows: int = ROWS) -> int:
        """Do both."""
        return self.start_import(self.prepare_import(rows))

    def wait_for_fault(self, fault: Fault, time: int = 1) -> int:
        """Wait until a fault has happened and return the process to which."""
        note = self.folder / f"{fault.name}.{time}"
        wait_until(note.exists, lambda: f"{fault.name} did not happen", patience=PATIENCE)
        return int(note.read_text())

    def count_faults(self, fault: Fault) -> int:
        """How often a fault has happened."""
        return len(list(self.folder.glob(f"{fault.name}.*")))

    def open_gate(self, fault: Fault) -> None:
        """Let those go on who wait."""
        (self.folder / f"{fault.name}.go").touch()

    def wait_until_left(self, job_id: int, token: int) -> None:
        """Wait until a try has left its job, whoever the job now belongs to."""
        left = self.folder / f"left.{job_id}.{token}"
        wait_until(left.exists, lambda: f"try {token} goes on", patience=PATIENCE)

    def settle(self, job_id: int, patience: float = PATIENCE) -> str:
        """Wait until a job has ended, or for as long as that may take, and return its state."""
        give_up = time.monotonic() + patience
        wait_until(
            lambda: look_at(job_id).status in ENDED or time.monotonic() > give_up,
            lambda: "the clock stands still",
            patience=patience + PATIENCE,
        )
        return look_at(job_id).status

    def judge(self, job_id: int, rows: int = ROWS) -> list[str]:
        """Say what differs from an undisturbed run; nothing when all is exact."""
        return judge_end(job_id, rows) + self.judge_ledger(job_id, rows)

    def judge_ledger(self, job_id: int, rows: int) -> list[str]:
        """Say what is wrong with the rows that the only job saved, when it should have saved so many."""
        return judge_lines(job_id, rows) + self.judge_stock(rows)

    def judge_stock(self, sold: int) -> list[str]:
        """Say what is wrong with the stock when so many rows were saved by all jobs together."""
        found = {
            "outflows": (db.session.scalar(select(func.count()).select_from(Outflow)), sold),
            "stock": (quantity_of("A"), self.stocked - sold),
            "stock against movements": (stock.verify_stock(), []),
        }
        db.session.rollback()
        return _differences(found)


def judge_end(job_id: int, rows: int) -> list[str]:
    """Say what is wrong with how an import ended."""
    job = look_at(job_id)
    found = {
        "status": (job.status, "completed"),
        "counts": (counts(job), (rows, 0, 0, 0)),
        "processed": (job.processed, rows),
        "terminal events": (terminal_events(job), [live.JOB_COMPLETED]),
        "open tries": (_open_tries(job_id), 0),
    }
    return _differences(found)


def judge_lines(job_id: int, rows: int) -> list[str]:
    """Say whether a job saved anything but each line from the first on, once and in order."""
    return _differences({"lines": (_saved_lines(job_id), list(range(FIRST_LINE, rows + FIRST_LINE)))})


def _differences(found: Mapping[str, tuple[object, object]]) -> list[str]:
    return [f"{name}: {is_}, not {should}" for name, (is_, should) in found.items() if is_ != should]


def _own_worker(part: str) -> str:
    return "tests.support.mutant_worker.huey" if part == "tasks.worker.huey" else part


def _saved_lines(job_id: int) -> list[int | None]:
    query = select(Change.line).where(Change.job_id == job_id, Change.resource == "outflows")
    return list(db.session.scalars(query.order_by(Change.id)))


def terminal_events(job: TaskNotification) -> list[str]:
    """The ends of a job that browsers were told of."""
    names = (live.JOB_COMPLETED, live.JOB_FAILED, live.JOB_CANCELLED)
    query = select(Event.name, Event.data).where(Event.name.in_(names)).order_by(Event.id)
    return [name for name, data in db.session.execute(query) if data["task_id"] == job.task_id]


def _open_tries(job_id: int) -> int:
    query = select(func.count()).select_from(JobAttempt)
    return db.session.scalar(query.where(JobAttempt.job_id == job_id, JobAttempt.ended_at.is_(None))) or 0


def judge_tries(job_id: int, *expected: str) -> list[str]:
    """Say how the tries differ from these outcomes; from one single try when none are given."""
    found = outcomes(job_id)
    return [] if found == list(expected or ("completed",)) else [f"tries: {found}"]


def lease_left(job_id: int) -> float:
    """The seconds until the lease of a job runs out, by the database's clock."""
    until = look_at(job_id).lease_until
    now = db.session.scalars(select(db_now(0))).one()
    return (until - now).total_seconds() if until else 0.0


def double_message(times: int) -> None:
    """Put the one message of the queue there so many times."""
    assert bell.wait(5), "the queue does not take messages"
    message = huey.storage.dequeue()
    assert message is not None
    for _ in range(times):
        huey.storage.enqueue(message)


def thaw(pid: int) -> None:
    """Let a frozen process go on."""
    os.kill(pid, signal.SIGCONT)
