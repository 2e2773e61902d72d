"""The Huey object and the one decorator of tasks.

Huey is only a doorbell: it hands a message out once and forgets it, so its retries and results are
off and the row of the job owns both. A message is JSON that carries an id, never a pickle.
"""

import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Flask
from flask.ctx import AppContext
from huey import Huey
from huey.consumer import Consumer
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import BlackHoleStorage, RedisStorage, SqliteStorage
from redis import ConnectionPool

from config import Settings
from tasks.bell import Bell
from tasks.manager import find_manager, is_gone
from webapp.services import health, job_protocol, periodic
from webapp.services.job_protocol import Body
from webapp.services.signals import job_due

log = logging.getLogger(__name__)


class JsonSerializer(Serializer):
    """Messages as JSON: whoever can write to the queue can name a task and an id, and nothing else."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Any:
        values = json.loads(data)
        return Message(*values) if isinstance(values, list) else values


class JobConsumer(Consumer):
    """Huey's consumer, whose stop flag the jobs can see: they leave at a batch boundary."""

    def __init__(self, huey: "JobQueue", **options: Any) -> None:
        super().__init__(huey, **options)
        huey.stop_flag = self.stop_flag
        self._manager = find_manager()

    def loop(self, health_check_ts: float | None = None) -> Any:
        """Look after the workers; leave when the honcho that started this consumer is gone."""
        if self._manager is not None and is_gone(self._manager):
            log.warning("The process manager is gone; this consumer stops.")
            self.stop(graceful=True)
        return super().loop(health_check_ts)


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
        self.stop_flag: Any = None

    def init_app(self, app: Flask, settings: Settings) -> None:
        """Bind the queue to an application and to the storage of its settings."""
        self.app = app
        self.storage = _build_storage(settings)
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
        return self.stop_flag is not None and bool(self.stop_flag.is_set())


def _build_storage(settings: Settings) -> Any:
    if settings.redis_url:
        # Longer than the second for which a consumer waits at an empty queue.
        pool = ConnectionPool.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=1)
        return RedisStorage("stockroom", connection_pool=pool)
    return SqliteStorage("stockroom", filename=str(settings.data_dir / "queue.db"), timeout=5)


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


def _send(storage: Any, task_type: str, job_id: int, task_id: str) -> None:
    try:
        message = TASKS[task_type].s(job_id)
        message.id = task_id
        storage.enqueue(huey.serialize_task(message), message.priority)
    except Exception as error:  # noqa: BLE001 - whatever it is, the relay rings again
        log.warning("Job %s could not be put on the queue (%s); the relay will try again.", task_id, error)


bell = Bell()
