"""Failures as functions: each brings about one and says what is wrong afterwards; nothing, when all is exact.

``without`` takes parts out of the protocol: the guard tests see to it that the verdict then changes.
"""

from collections.abc import Sequence

from sqlalchemy import func, select

from tasks.queue import bell, huey
from tests.support.broker import Broker
from tests.support.faults import Fault
from tests.support.jobs import look_at, outcomes
from tests.support.processes import wait_until
from tests.support.trials import (
    PATIENCE,
    Trial,
    double_message,
    judge_tries,
    lease_left,
    thaw,
)
from webapp.extensions import db
from webapp.models import Consumer, PeriodicSlot, TaskNotification
from webapp.services import exports, metrics_refresh

POISONED_LINE = 37
SLOTS = 6
# The kinds of periodic jobs with the names of their slots.
SCHEDULED = {"maintenance": ("maintenance",), "metrics": ("metrics", metrics_refresh.START_SLOT)}


def kill_in_a_batch(trial: Trial, without: Sequence[str] = (), patience: float = PATIENCE) -> list[str]:
    """A worker dies after the effects of a batch were written."""
    fault = Fault("in_batch", "kill", number=3)
    job_id = trial.ask_import()
    trial.start_worker(fault, without=without)
    trial.wait_for_fault(fault)
    trial.settle(job_id, patience)
    return trial.judge(job_id)


def freeze_past_the_lease(trial: Trial, without: Sequence[str] = ()) -> list[str]:
    """A worker freezes at the edge of a batch, loses its job, and wakes up while another one is at it."""
    fault, gate = Fault("checked", "stop", number=3), Fault("after_batch", "wait", line=45)
    job_id = trial.ask_import()
    trial.start_worker(fault, gate, without=without)
    frozen = trial.wait_for_fault(fault)
    token = look_at(job_id).token
    trial.wait_for_fault(gate)
    thaw(frozen)
    trial.wait_until_left(job_id, token)
    trial.open_gate(gate)
    trial.wait_until_left(job_id, look_at(job_id).token)
    trial.settle(job_id)
    return trial.judge(job_id)


def finish_after_the_reaper(trial: Trial, without: Sequence[str] = ()) -> list[str]:
    """A worker freezes before its last transaction, and wakes up when another one has done the job."""
    fault = Fault("checked", "stop", number=7)
    job_id = trial.ask_import()
    trial.start_worker(fault, without=without)
    frozen = trial.wait_for_fault(fault)
    token = look_at(job_id).token
    trial.settle(job_id)
    thaw(frozen)
    trial.wait_until_left(job_id, token)
    return trial.judge(job_id)


def finish_before_the_reaper(trial: Trial) -> list[str]:
    """The lease runs out while the last transaction is open: whoever commits first has the job."""
    fault = Fault("finishing", "wait")
    job_id = trial.ask_import()
    trial.start_worker(fault)
    trial.wait_for_fault(fault)
    wait_until(lambda: lease_left(job_id) < -1, lambda: "the lease does not run out")
    trial.open_gate(fault)
    trial.settle(job_id)
    trial.wait_until_left(job_id, look_at(job_id).token)
    return trial.judge(job_id) + judge_tries(job_id)


def work_longer_than_the_lease(trial: Trial, without: Sequence[str] = ()) -> list[str]:
    """Between two batches goes more time than a lease lasts."""
    fault = Fault("before_batch", "sleep", number=2, seconds=4, times=99)
    job_id = trial.ask_import()
    trial.start_worker(fault, without=without, LEASE_SECONDS="2", HEARTBEAT_SECONDS="0.2")
    wait_until(lambda: any(outcomes(job_id)), lambda: "no try ends", patience=PATIENCE)
    return trial.judge(job_id) + judge_tries(job_id)


def double_every_message(trial: Trial, without: Sequence[str] = ()) -> list[str]:
    """One message arrives ten times, at two workers."""
    fault = Fault("in_batch", "sleep", seconds=0.1, times=99)
    job_id = trial.ask_import()
    double_message(10)
    trial.start_worker(fault, without=without, LEASE_SECONDS="30")
    trial.settle(job_id)
    wait_until(lambda: huey.pending_count() == 0, lambda: "messages stay in the queue")
    trial.settle(job_id)
    return trial.judge(job_id) + judge_tries(job_id)


def create_without_a_broker(trial: Trial, broker: Broker, without: Sequence[str] = ()) -> list[str]:
    """Redis is away when a job is created, and comes back without knowing of it."""
    prepared = trial.prepare_import()
    broker.stop()
    job_id = trial.start_import(prepared)
    bell.wait(PATIENCE)
    broker.start()
    assert huey.pending_count() == 0, "the message was not lost: this shows nothing"
    trial.start_worker(without=without)
    control = exports.request_export(trial.actor, "products", "csv").id
    assert trial.settle(control) == "completed"
    trial.settle(job_id, 3 if without else PATIENCE)
    return trial.judge(job_id)


def run_two_tickers(trial: Trial, without: Sequence[str] = ()) -> list[str]:
    """Two consumers with a scheduler each, over several slots."""
    for _ in range(2):
        trial.start_worker(without=without, tick_seconds=1)
    wait_until(lambda: _count(Consumer) == 4, lambda: "not all workers live", patience=PATIENCE)
    for task_type in SCHEDULED:
        wait_until(
            lambda kind=task_type: _slots_and_runs(kind)[1] >= SLOTS,  # type: ignore[misc]  # bound in the loop
            lambda: "the slots are not run",
            patience=PATIENCE,
        )
    problems = []
    for task_type in SCHEDULED:
        slots, runs = _slots_and_runs(task_type)
        # A slot whose predecessor still runs is left out, on a machine that is slow enough for that.
        if runs > slots:
            problems.append(f"{runs} runs in {slots} slots of {task_type}")
    return problems


def _slots_and_runs(task_type: str) -> tuple[int, int]:
    db.session.rollback()
    slots = select(func.count()).select_from(PeriodicSlot).where(PeriodicSlot.name.in_(SCHEDULED[task_type]))
    runs = select(func.count()).select_from(TaskNotification)
    runs = runs.where(TaskNotification.task_type == task_type)
    row = db.session.execute(select(slots.scalar_subquery(), runs.scalar_subquery())).one()
    db.session.rollback()
    return row[0], row[1]


def _count(model: type[Consumer]) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def poison(trial: Trial) -> list[str]:
    """A line kills every worker that saves it; other jobs are done meanwhile."""
    fault = Fault("in_batch", "kill", line=POISONED_LINE, times=99)
    job_id = trial.ask_import()
    trial.start_worker(fault, LEASE_SECONDS="1", HEARTBEAT_SECONDS="0.2")
    trial.wait_for_fault(fault)
    healthy = exports.request_export(trial.actor, "products", "csv").id
    problems = [] if trial.settle(healthy) == "completed" else ["the healthy job was not done"]
    trial.settle(job_id)
    job = look_at(job_id)
    if (job.status, job.failure_kind) != ("failed", "crash"):
        problems.append(f"the poisoned job is {job.status} ({job.failure_kind})")
    if f"line {POISONED_LINE - 1};" not in (job.error_message or ""):
        problems.append(f"the message does not name the line: {job.error_message}")
    return problems + trial.judge_ledger(job_id, POISONED_LINE - 2)
