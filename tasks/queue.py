"""The Huey object and the one decorator of tasks.

Huey is only a doorbell: it hands a message out once and forgets it, so its retries and results are
off and the row of the job owns both. A message is JSON that carries an id, never a pickle. While the
broker is away, workers look at the table of jobs themselves.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask.ctx import AppContext
from huey import Huey
from huey.storage import BlackHoleStorage
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from tasks.bell import Bell
from tasks.consumer import JobConsumer
from tasks.storage import JsonSerializer, build_storage
from webapp.models import TaskNotification
from webapp.services import health, job_protocol, job_rescue, periodic
from webapp.services.job_protocol import Body
from webapp.services.signals import job_due

log = logging.getLogger(__name__)

# As often as the relay rings for a job at least: a broker that takes no rings is found out again and again.
DOUBT_SECONDS = job_protocol.RELAY_PAUSE_LIMIT_SECONDS
PAUSE_SECONDS = 0.5  # between two looks at the table while the broker is away


class JobQueue(Huey):
    """The queue, unbound like every extension; ``init_app`` gives it its storage."""

    def __init__(self) -> None:
        super().__init__(
            "stockroom",
            results=False,
            store_none=False,
            serializer=JsonSerializer(),
            storage_class=BlackHoleStorage,
        )
        self.app: Flask | None = None
        self.stop_flag: Any = threading.Event()  # a consumer puts its own here
        self.is_scheduled_here = False
        self.frozen_seconds = 0.0
        self._broken_at: float | None = None
        self._found_id: int | None = None
        self._minute: datetime | None = None
        self._ticks: list[Any] = []

    def init_app(self, app: Flask, settings: Settings) -> None:
        """Bind the queue to an application and to the storage of its settings."""
        self.app = app
        self.storage = build_storage(settings)
        self.frozen_seconds = settings.frozen_seconds
        self._broken_at = None
        health.set_broker_probe(app, self.pending_count)

    def create_consumer(self, **options: Any) -> JobConsumer:
        """Called by Huey's command line, after it has given its own logger a handler.

        Its lines take the shape of all others. What it says of each message is noise: the jobs tell
        their own story.
        """
        logger = logging.getLogger("huey")
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
        return JobConsumer(self, **options)

    def is_stopping(self) -> bool:
        """Whether this consumer was asked to stop."""
        return bool(self.stop_flag.is_set())

    def dequeue(self) -> Any:
        """Return what a worker is to do next: what the broker hands out or, while it is in doubt, the table says."""
        if self._is_in_doubt() and (found := self._look_for_work()) is not None:
            return found
        try:
            data = self.storage.dequeue()
        except Exception as error:  # noqa: BLE001 - whatever it is, the broker is of no use
            self.doubt(error)
            self.stop_flag.wait(PAUSE_SECONDS)
            return None
        return None if data is None else self.deserialize_task(data)

    def execute(self, task: Any, timestamp: datetime | None = None) -> None:
        """Do what a message asks for. Huey would ask the broker before and after for what is switched off."""
        self._tasks_in_flight.add(task)
        try:
            task.execute()
        except KeyboardInterrupt:  # the consumer cuts off what did not heed its stop
            log.warning("The work was cut off by the stop of its consumer.")
        finally:
            self._tasks_in_flight.discard(task)

    def read_schedule(self, timestamp: datetime | None = None) -> list[Any]:
        """Return nothing: what is to wait, waits in its row."""
        return []

    def doubt(self, error: Exception) -> None:
        """Remember that the broker failed: for a while the table is looked at, too."""
        if not self._is_in_doubt():
            log.warning("The queue fails (%s); until it is well again, jobs are taken from the table.", error)
        self._broken_at = time.monotonic()

    def _is_in_doubt(self) -> bool:
        return self._broken_at is not None and time.monotonic() - self._broken_at < DOUBT_SECONDS

    def _look_for_work(self) -> Any:
        """Return a slot's task when a minute has begun, or the job that has been due longest.

        All workers may find the same: a slot's row and a job's claim let only one of them have it.
        """
        if tick := self._next_tick():
            return tick
        assert self.app is not None, "the queue is bound by create_app"  # noqa: S101 - a programmer's mistake
        try:
            with self.app.app_context():
                return self._take_turn(job_rescue.find_due_job(TASKS))
        except SQLAlchemyError:
            log.warning("The table of jobs could not be read.", exc_info=True)
            return None

    def _take_turn(self, job: TaskNotification | None) -> Any:
        if job is None:
            return None
        if job.id == self._found_id:  # it could not be claimed a moment ago, and is still there
            self.stop_flag.wait(PAUSE_SECONDS)
        self._found_id = job.id
        return make_message(job.task_type, job.id, job.task_id)

    def _next_tick(self) -> Any:
        """What the scheduler cannot put on the queue, each worker does by itself, once a minute."""
        minute = datetime.now(UTC).replace(second=0, microsecond=0, tzinfo=None)
        if self.is_scheduled_here and minute != self._minute:
            self._minute = minute
            self._ticks = self.read_periodic(minute)
        return self._ticks.pop() if self._ticks else None


huey = JobQueue()
TASKS: dict[str, Any] = {}


def job_task(task_type: str) -> Callable[[Body], Any]:
    """Make a Huey task of a function that takes a JobRun: the body of all jobs of one type.

    The task takes the id of a job's row; given None it finds the row by its own Huey task id.
    """

    def decorate(body: Body) -> Any:
        def run(notification_id: int | None = None, task: Any = None) -> None:
            run_job(notification_id, task.id if task else None, body)

        run.__doc__ = body.__doc__
        registered = huey.task(name=body.__name__, context=True, retries=0)(run)
        TASKS[task_type] = registered
        return registered

    return decorate


def in_app() -> AppContext:
    """Return the context of the application that the queue serves."""
    assert huey.app is not None, "the queue is bound by create_app"  # noqa: S101 - a programmer's mistake
    return huey.app.app_context()


def run_job(notification_id: int | None, task_id: str | None, body: Body) -> None:
    """Enter the application and carry out the job whose row, or whose message, has this id."""
    with in_app():
        job_id = notification_id if notification_id is not None else job_protocol.find_job_id(task_id)
        if job_id is not None:
            job_protocol.execute(job_id, body, huey.is_stopping)


def run_slot(name: str, slot: datetime, task_type: str, body: Body) -> None:
    """Run a scheduled slot here, unless another consumer has it or has already run it."""
    with in_app():
        run = periodic.start_slot(name, slot, task_type, huey.is_stopping)
        if run is not None:
            job_protocol.carry_out(run, body)


@job_due.connect
def ring(task_type: str, job_id: int, task_id: str) -> None:
    """Send a job's id to the consumers. A queue that cannot be reached delays the job, no more."""
    if task_type in TASKS:
        storage = huey.storage
        bell.ring(lambda: _send(storage, task_type, job_id, task_id))
    else:
        log.warning("Nobody here knows jobs of the type %s; job %s waits.", task_type, task_id)


def make_message(task_type: str, job_id: int, task_id: str) -> Any:
    """Return the message that asks for a job."""
    message = TASKS[task_type].s(job_id)
    message.id = task_id
    return message


def _send(storage: Any, task_type: str, job_id: int, task_id: str) -> None:
    try:
        storage.enqueue(huey.serialize_task(make_message(task_type, job_id, task_id)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the relay rings again
        huey.doubt(error)
        log.warning("Job %s could not be put on the queue (%s); the relay will try again.", task_id, error)


bell = Bell()
