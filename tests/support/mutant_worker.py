"""What ``huey_consumer`` loads in the failure tests: the real worker, with what a test plans for it.

Production code knows nothing of this: whatever is broken here is broken from outside.
"""

# isort: off
from tests.support.quiet import QUIET  # first of all: it replaces what the others import

# isort: on
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from huey.consumer import Scheduler
from sqlalchemy.orm import Session

from tasks.queue import job_task
from tasks.worker import app, huey
from tests.support.faults import UNPICKLABLE
from tests.support.injector import Lines, get_injector
from tests.support.mutants import MUTANTS
from tests.support.newer_code import become_newer
from webapp.services import import_batches, job_protocol, periodic
from webapp.services.job_protocol import Body, JobRun

__all__ = ["app", "huey"]

INJECTOR = get_injector()
INJECTOR.quiet = QUIET
PLAN = INJECTOR.plan


def _inject_into_run() -> None:
    """Let a try come by its points."""
    hit = INJECTOR.hit
    check, batch, beat = JobRun.raise_if_stopped, JobRun.batch, JobRun.beat

    def raise_if_stopped(run: JobRun) -> None:
        check(run)
        hit("checked", run)  # from here on only the fence can stop it

    @contextmanager
    def pointed_batch(run: JobRun, **options: bool) -> Iterator[Session]:
        lines, begun = Lines(run), time.monotonic()
        hit("before_batch", run)
        with batch(run, **options) as session:
            yield session
            if run.is_complete:
                hit("finishing", run, lines.passed())
            elif "same transaction" not in PLAN.without:  # that mutant has this point elsewhere
                hit("in_batch", run, lines.passed())
        with (PLAN.folder / f"batches.{run.id}").open("a") as times:
            times.write(f"{lines.passed().stop} {time.monotonic() - begun}\n")
        hit("finished" if run.is_complete else "after_batch", run, lines.passed())

    def pointed_beat(run: JobRun) -> None:
        hit("beat", run)
        beat(run)

    JobRun.raise_if_stopped = raise_if_stopped  # type: ignore[method-assign, assignment]
    JobRun.batch = pointed_batch  # type: ignore[method-assign, assignment]
    JobRun.beat = pointed_beat  # type: ignore[method-assign, assignment]


def _inject_around_run() -> None:
    """Note when a try has left its job."""
    carry_out = job_protocol.carry_out

    def pointed_carry_out(run: JobRun, body: Body) -> None:
        INJECTOR.hit("claimed", run)
        try:
            carry_out(run, body)
            INJECTOR.hit("left", run)
        finally:
            (PLAN.folder / f"left.{run.id}.{run.token}").touch()

    job_protocol.carry_out = pointed_carry_out


def _shorten() -> None:
    """Small batches, and a schedule of seconds."""
    import_batches.FIRST_BATCH_ROWS = import_batches.LARGEST_BATCH_ROWS = PLAN.batch_rows
    if PLAN.tick_seconds:
        Scheduler.periodic_task_seconds = PLAN.tick_seconds
        every = timedelta(seconds=PLAN.tick_seconds)
        for name in ("maintenance", "metrics"):
            periodic.SCHEDULES[name] = replace(periodic.SCHEDULES[name], every=every)


@job_task(UNPICKLABLE)  # type: ignore[arg-type]
def return_unpicklable(_run: JobRun) -> object:
    """Return what neither a message nor a result could carry."""
    return lambda: None


if PLAN.version:
    become_newer(PLAN.version)
for part in PLAN.without:
    MUTANTS[part]()
_inject_into_run()
_inject_around_run()
_shorten()
