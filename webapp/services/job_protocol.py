"""How a worker carries out a job so that it is never lost and never done twice.

The row is the job. A claim is one conditional UPDATE that takes a new fencing token; every later
write names that token and must change exactly one row, or the worker stops. A thread renews the
lease; the reaper gives back what lost its lease; the relay rings again for what nobody picked up.
Effects, checkpoint and progress commit together.
"""

import logging
import os
import random
import socket
import threading
import time
import traceback as tracebacks
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, TypeVar

from flask import Flask, current_app
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from webapp import live
from webapp.database import after_commit, write_transaction
from webapp.errors import Invalid
from webapp.extensions import db, settings
from webapp.logs import of_job
from webapp.models import JobAttempt, TaskNotification
from webapp.models.clock import db_now
from webapp.resources.base import N_
from webapp.resources.types import Phrase, Problem
from webapp.services import job_faults, job_versions, jobs, traces
from webapp.services.signals import job_ended

log = logging.getLogger(__name__)

RELAY_PAUSE_LIMIT_SECONDS = 60
BATCH_PAUSE_SECONDS = 0.05
PROGRESS_SECONDS = 0.25  # live progress is thinned to four events a second
BATCH_TRIES = 5  # of a batch that the database rolled back because it met another transaction
# What a job loses that nobody runs any more: the lease, and the picture of where the work was.
NO_LEASE: dict[str, Any] = {"lease_until": None, "stack": None, "stack_at": None}
_running: list[int] = []  # ids of the jobs of this process
OWNER_BOOT = f"{time.time_ns():x}"

Body = Callable[["JobRun"], None]
T = TypeVar("T")


class JobStopped(Exception):
    """Raised inside a body to leave it at a batch boundary."""


class JobCancelled(JobStopped):
    """Its user asked for the end."""


class JobReleased(JobStopped):
    """The worker is about to stop; another one goes on from the checkpoint."""


class LeaseLost(JobStopped):
    """The job was given to somebody else: nothing more may be written."""


def owner_name() -> str:
    """Name this process so that no other process, of any boot of any host, has the same name."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{OWNER_BOOT}"


class JobRun:
    """One try at a job, as its body sees it."""

    def __init__(self, job: TaskNotification, should_stop: Callable[[], bool]) -> None:
        self.id = job.id
        self.task_id = job.task_id
        self.task_type = job.task_type
        self.model_name = job.model_name
        self.file_format = job.file_format
        self.params: dict[str, Any] = dict(job.params)
        self.user_id = job.user_id
        self.data_import_id = job.data_import_id
        self.token = job.token
        self.attempt = job.attempt
        self.crashes = job.crashes
        self.max_attempts = job.max_attempts
        self.checkpoint: dict[str, Any] = dict(job.checkpoint or {})
        self.counts = {name: getattr(job, name) for name in ("created", "updated", "unchanged", "failed")}
        self.processed = job.processed
        self.is_complete = False
        self.on_progress: Callable[[int, int | None], None] | None = None
        self._total = job.total
        self._should_stop = should_stop
        self._lost = threading.Event()
        self._cancelled = threading.Event()
        self._published_at = 0.0
        self._thread_id = threading.get_ident()

    def raise_if_stopped(self) -> None:
        """Leave the body if the job was cancelled or lost, or if this worker is about to stop."""
        if self._lost.is_set():
            raise LeaseLost(self.task_id)
        if self._cancelled.is_set():
            raise JobCancelled(self.task_id)
        if self._should_stop():
            raise JobReleased(self.task_id)

    @contextmanager
    def batch(self, *, is_progress: bool = True) -> Iterator[Session]:
        """Run one batch: its effects, the checkpoint, progress and lease commit together or not at all.

        The block sets ``processed``, ``counts`` and ``checkpoint`` on this object. Crashes count on
        without ``is_progress``: work that begins anew after one has not got further.
        """
        self.raise_if_stopped()
        with write_transaction() as session:
            yield session
            if not self.is_complete:
                self._save(session, **({"crashes": 0} if is_progress else {}), checkpoint=self.checkpoint)

    def in_batch(self, work: Callable[[Session], T]) -> T:
        """Run ``work(session)`` as one batch and return what it returns, also when it meets a deadlock.

        The database undoes the one it has chosen as a whole; what the work set on this object is undone
        here, and it is done again at once, a few times: another try at the job would wait a minute.
        Signals are sent again, because what their receivers wrote was undone as well. The work must not
        change anything else.
        """
        for tries_left in reversed(range(BATCH_TRIES)):
            before = self.processed, dict(self.counts), dict(self.checkpoint), self._total, self.is_complete
            try:
                with self.batch() as session:
                    return work(session)
            except DBAPIError as error:
                if not tries_left or not job_faults.is_rolled_back(error):
                    raise
                log.info("A batch met another transaction and was rolled back; it is done again.")
                self.processed, self.counts, self.checkpoint, self._total, self.is_complete = before
                time.sleep(random.uniform(0.5, 1.5) * BATCH_PAUSE_SECONDS)  # noqa: S311 - only to part two
        raise AssertionError("the last try returns or raises")

    def report(self, processed: int, total: int | None = None, phase: str | None = None) -> None:
        """Tell how far it is, at most four times a second, in a short transaction of its own."""
        self.processed = processed
        self._total = total if total is not None else self._total
        if time.monotonic() - self._published_at < PROGRESS_SECONDS:
            return
        self.raise_if_stopped()
        with write_transaction() as session:
            self._save(session, **({"phase": phase} if phase else {}))

    def set_total(self, total: int | None) -> None:
        """Say how many rows there are; it is saved with the next progress."""
        self._total = total

    def complete(self, session: Session, **values: Any) -> None:
        """End the job as completed inside the caller's last transaction."""
        self.is_complete = True
        values.setdefault("processed", self.processed)
        values.setdefault("total", self._total)
        finish(session, self, "completed", **self.counts, **values)
        if self.on_progress:
            after_commit(session, lambda: self.on_progress and self.on_progress(self.processed, self._total))

    def _save(self, session: Session, **values: Any) -> None:
        row = write_as_owner(
            session,
            self,
            processed=self.processed,
            total=self._total,
            progress_at=db_now(0),
            lease_until=db_now(settings().lease_seconds),
            **self.counts,
            **values,
        )
        if row.cancel_requested_at is not None:
            self._cancelled.set()
        if self.on_progress:
            self.on_progress(self.processed, self._total)
        if time.monotonic() - self._published_at >= PROGRESS_SECONDS:
            self._published_at = time.monotonic()
            live.publish_job(session, session.get_one(TaskNotification, self.id), live.JOB_PROGRESS)

    def beat(self) -> None:
        """Renew the lease, show where the work is, learn of a cancellation or of the loss of the job."""
        with write_transaction() as session:
            try:
                row = write_as_owner(
                    session,
                    self,
                    heartbeat_at=db_now(0),
                    lease_until=db_now(settings().lease_seconds),
                    stack=traces.format_thread(self._thread_id),
                    stack_at=db_now(0),
                )
            except LeaseLost:
                self._lost.set()
                return
        if row.cancel_requested_at is not None:
            self._cancelled.set()

    def lose(self) -> None:
        """Stop at the next boundary: the lease can no longer be trusted."""
        self._lost.set()


def write_as_owner(session: Session, run: JobRun, **values: Any) -> Any:
    """Change the job's row in the name of this try's token, or raise LeaseLost."""
    row = session.execute(
        update(TaskNotification)
        .where(
            TaskNotification.id == run.id,
            TaskNotification.token == run.token,
            TaskNotification.status == "processing",
        )
        .values(**values, state_version=TaskNotification.state_version + 1)
        .returning(TaskNotification.cancel_requested_at)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        raise LeaseLost(run.task_id)
    session.expire_all()
    return row


def finish(session: Session, run: JobRun, status: str, **values: Any) -> None:
    """Write the end of a job: state, counts, event and notification, in the caller's transaction."""
    write_as_owner(session, run, status=status, completed_at=db_now(0), phase=None, **NO_LEASE, **values)
    said = {name: values.get(name) for name in ("error_message", "error_phrases", "traceback")}
    close_attempt(session, run.id, run.token, status, said)
    names = {"completed": live.JOB_COMPLETED, "failed": live.JOB_FAILED, "cancelled": live.JOB_CANCELLED}
    live.publish_job(session, session.get_one(TaskNotification, run.id), names[status])
    job_ended.send(run.task_type, session=session)


def close_attempt(
    session: Session, job_id: int, token: int, outcome: str, said: Mapping[str, Any] | None = None
) -> None:
    """End the record of one try; ``said`` are the columns of why it failed."""
    session.execute(
        update(JobAttempt)
        .where(JobAttempt.job_id == job_id, JobAttempt.token == token, JobAttempt.ended_at.is_(None))
        .values(ended_at=db_now(0), outcome=outcome, **(said or {}))
        .execution_options(synchronize_session=False)
    )


def claim_job(job_id: int, owner: str, should_stop: Callable[[], bool]) -> JobRun | None:
    """Take a due job, or return None: another worker was first, it is not due, or newer code has begun it."""
    with write_transaction() as session:
        claimed = session.scalar(
            update(TaskNotification)
            .where(
                TaskNotification.id == job_id,
                TaskNotification.status == "pending",
                TaskNotification.run_after <= db_now(0),
                job_versions.is_readable(),
            )
            .values(
                **jobs.claim_values(owner),
                body_version=job_versions.own_body_version(),
                token=TaskNotification.token + 1,
                attempt=TaskNotification.attempt + 1,
                started_at=func.coalesce(TaskNotification.started_at, db_now(0)),
                state_version=TaskNotification.state_version + 1,
            )
            .returning(TaskNotification.id)
            .execution_options(synchronize_session=False)
        )
        if claimed is None:
            return None
        session.expire_all()
        job = session.get_one(TaskNotification, job_id)
        jobs.open_attempt(session, job)
        live.publish_job(session, job, live.JOB_PROGRESS)
        return JobRun(job, should_stop)


def find_job_id(task_id: str | None) -> int | None:
    """Return the id of the job whose message has this Huey task id."""
    return db.session.scalar(select(TaskNotification.id).where(TaskNotification.task_id == task_id))


def execute(job_id: int, body: Body, should_stop: Callable[[], bool]) -> None:
    """Claim a job and carry it out to an end, a retry or a release. Doubled messages do nothing."""
    run = claim_job(job_id, owner_name(), should_stop)
    if run is not None:
        carry_out(run, body)


def carry_out(run: JobRun, body: Body) -> None:
    """Run the body of a claimed job, with its heartbeat beside it, and write how it ended."""
    with of_job(run.id, run.task_id):
        _running.append(run.id)
        try:
            _carry_out(run, body)
        finally:
            _running.remove(run.id)


def running_job_id() -> int | None:
    """Return the job that this process is working on."""
    return _running[-1] if _running else None


def _carry_out(run: JobRun, body: Body) -> None:
    level = jobs.log_level(run.user_id)
    log.log(level, "Job %s (%s) started, try %s.", run.task_id, run.task_type, run.attempt)
    with _heartbeat(run):
        try:
            body(run)
            if not run.is_complete:
                with write_transaction() as session:
                    run.complete(session)
        except LeaseLost:
            log.warning("Job %s was given to another worker; this one leaves it.", run.task_id)
        except JobCancelled:
            _write_end(lambda session: finish(session, run, "cancelled", failure_kind="cancelled"))
        except JobReleased:
            _write_end(lambda session: _give_back(session, run))
        except (Problem, Invalid) as problem:
            _fail(run, problem, kind="bad_input", may_pass=False)
        except Exception as error:  # a job ends in a state, whatever happened
            traces.release_frames(error)
            log.exception("Job %s (%s) failed.", run.task_id, run.task_type)
            _fail(run, error, kind="error", may_pass=job_faults.is_passing(error))
        except BaseException:  # the consumer is being stopped by force: no crash is counted
            _write_end(lambda session: _give_back(session, run))
            raise
        else:
            log.log(level, "Job %s (%s) completed.", run.task_id, run.task_type)


def _write_end(write: Callable[[Session], None]) -> None:
    db.session.rollback()
    with suppress(LeaseLost), write_transaction() as session:
        write(session)


def _give_back(session: Session, run: JobRun) -> None:
    """Back to pending at once; the next worker resumes at the checkpoint."""
    write_as_owner(
        session,
        run,
        status="pending",
        run_after=db_now(0),
        dispatched_at=None,
        attempt=TaskNotification.attempt - 1,
        **NO_LEASE,
    )
    close_attempt(session, run.id, run.token, "released")
    live.publish_job(session, session.get_one(TaskNotification, run.id), live.JOB_PROGRESS)


def _fail(run: JobRun, error: Exception, *, kind: str, may_pass: bool) -> None:
    trace = traces.storable("".join(tracebacks.format_exception(error)))
    said = {**job_faults.tell(job_faults.explain(error)), "traceback": trace}
    if may_pass and run.attempt < run.max_attempts:
        _write_end(lambda session: _schedule_retry(session, run, said))
        return
    values = {
        **said,
        "failure_kind": kind,
        "error_fingerprint": job_faults.fingerprint(error),
        "is_read": run.user_id is None,
    }
    _write_end(lambda session: finish(session, run, "failed", **values))


def _schedule_retry(session: Session, run: JobRun, said: dict[str, Any]) -> None:
    write_as_owner(
        session,
        run,
        status="pending",
        run_after=db_now(settings().retry_delay_seconds),
        dispatched_at=None,
        **said,
        **NO_LEASE,
    )
    close_attempt(session, run.id, run.token, "error", said)
    live.publish_job(session, session.get_one(TaskNotification, run.id), live.JOB_RETRYING)


@contextmanager
def _heartbeat(run: JobRun) -> Iterator[None]:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - for a thread
    done = threading.Event()
    thread = threading.Thread(
        target=_beat_until, args=(app, run, done), name=f"heartbeat-{run.id}", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=5)


def _beat_until(app: Flask, run: JobRun, done: threading.Event) -> None:
    with app.app_context(), of_job(run.id, run.task_id):
        config = settings()
        renewed = time.monotonic()
        while not done.wait(config.heartbeat_seconds):
            try:
                run.beat()
                renewed = time.monotonic()
            except (SQLAlchemyError, MemoryError):
                log.warning("The heartbeat of job %s could not be written.", run.task_id)
                if time.monotonic() - renewed > config.lease_seconds:
                    run.lose()
            finally:
                db.session.remove()


def relay_due_jobs(limit: int = 100) -> int:
    """Ring again for due jobs that nobody picked up; return how many.

    A row is rung for at most as often as it has already waited, between one relay interval and a
    minute: a long queue is not filled with doubles.
    """
    due = select(TaskNotification).where(
        TaskNotification.status == "pending", TaskNotification.run_after <= db_now(0)
    )
    if db.session.scalar(due.with_only_columns(TaskNotification.id).limit(1)) is None:
        db.session.rollback()
        return 0
    with write_transaction() as session:
        now = session.scalars(select(db_now(0))).one()
        waiting = session.scalars(due.order_by(TaskNotification.run_after).limit(limit)).all()
        unheard = [job for job in waiting if _is_unheard(job, now)]
        for job in unheard:
            job.dispatched_at = now
            jobs.ring_after_commit(session, job)
        return len(unheard)


def _is_unheard(job: TaskNotification, now: datetime) -> bool:
    if job.dispatched_at is None:
        return True
    waited = (job.dispatched_at - job.run_after).total_seconds()
    pause = min(RELAY_PAUSE_LIMIT_SECONDS, max(settings().relay_seconds, waited))
    return (now - job.dispatched_at).total_seconds() >= pause


def reap_lost_jobs() -> int:
    """Give back the jobs whose worker stopped renewing its lease; return how many.

    A crash is no retry: there is no wait, and it is counted apart. A job that kills its worker
    ``MAX_CRASHES`` times in a row without progress fails.
    """
    lost = select(TaskNotification).where(
        TaskNotification.status == "processing", TaskNotification.lease_until < db_now(0)
    )
    if db.session.scalar(lost.with_only_columns(TaskNotification.id).limit(1)) is None:
        db.session.rollback()
        return 0
    with write_transaction() as session:
        found = session.scalars(lost.with_for_update(skip_locked=True)).all()
        for job in found:
            _reap(session, job)
        return len(found)


def take_away(session: Session, job: TaskNotification) -> None:
    """Give a running job back by force: the new token fences its worker off. No crash is counted."""
    close_attempt(session, job.id, job.token, "forced")
    _clear_lease(job)
    job.token += 1
    job.state_version += 1
    if job.cancel_requested_at is not None:
        _end_lost(session, job, "cancelled", "cancelled")
        live.publish_job(session, job, live.JOB_CANCELLED)
    else:
        _wait_again(session, job)
        live.publish_job(session, job, live.JOB_PROGRESS)


def _clear_lease(job: TaskNotification) -> None:
    for name, value in NO_LEASE.items():
        setattr(job, name, value)


def _wait_again(session: Session, job: TaskNotification) -> None:
    job.status = "pending"
    job.attempt = max(0, job.attempt - 1)
    job.run_after = job.dispatched_at = session.scalars(select(db_now(0))).one()
    jobs.ring_after_commit(session, job)


def _reap(session: Session, job: TaskNotification) -> None:
    with of_job(job.id, job.task_id):
        log.warning("Job %s lost its worker %s; it is given back.", job.task_id, job.lease_owner)
    close_attempt(session, job.id, job.token, "crash")
    _clear_lease(job)
    job.crashes += 1
    job.state_version += 1
    if job.cancel_requested_at is not None:
        _end_lost(session, job, "cancelled", "cancelled")
        live.publish_job(session, job, live.JOB_CANCELLED)
    elif job.crashes >= settings().max_crashes:
        _end_lost(session, job, "failed", "crash", _explain_crashes(job))
        live.publish_job(session, job, live.JOB_FAILED)
    else:
        _wait_again(session, job)
        live.publish_job(session, job, live.JOB_RETRYING)


def _explain_crashes(job: TaskNotification) -> list[Phrase]:
    crashed = Phrase(
        N_("The job stopped its worker %(times)s times in a row without getting further."),
        {"times": job.crashes},
    )
    if not job.checkpoint or "line" not in job.checkpoint:
        return [crashed]
    place = N_("The file was taken up to line %(line)s; look at the lines after it.")
    return [crashed, Phrase(place, {"line": job.checkpoint["line"]})]


def _end_lost(
    session: Session, job: TaskNotification, status: str, kind: str, why: Sequence[Phrase] = ()
) -> None:
    job.status = status
    job.failure_kind = kind
    said = job_faults.tell(why) if why else {"error_message": None, "error_phrases": None}
    job.error_message, job.error_phrases = said["error_message"], said["error_phrases"]
    job.completed_at = session.scalars(select(db_now(0))).one()
    job_ended.send(job.task_type, session=session)
