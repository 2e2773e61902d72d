"""What ``huey_consumer`` loads: the application, the queue, and what keeps a worker process honest."""

import ctypes
import gc
import logging
import os
import signal
import sys
import threading
from contextlib import suppress

gc.disable()  # until all is loaded: see the end

from sqlalchemy.exc import SQLAlchemyError  # noqa: E402

from tasks.queue import TASKS, bell, huey  # noqa: E402
from webapp import create_app, live, logs  # noqa: E402
from webapp.extensions import db, settings  # noqa: E402
from webapp.models.base import utc_now  # noqa: E402
from webapp.services import job_logs, job_protocol, job_rescue, metrics_refresh, workers  # noqa: E402

__all__ = ["app", "huey"]

log = logging.getLogger(__name__)
PR_SET_PDEATHSIG = 1  # linux/prctl.h

app = create_app()
logs.use_stdout()
_consumer_pid = os.getpid()
_started_at = utc_now()  # the consumer's: its processes are forked from here
_store: list[job_logs.StoreHandler] = []  # one in each worker process, none in their parent


def _begin_child() -> None:
    """Start a forked worker clean: no inherited connections, and no life after its parent's."""
    live.forget_nudges()
    bell.forget()
    with app.app_context():
        db.engine.dispose(close=False)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


os.register_at_fork(after_in_child=_begin_child)


@huey.on_startup()
def start_housekeeping() -> None:
    """Start the threads that keep the log, and that relay, reap and say that this worker lives."""
    _store.append(job_logs.StoreHandler(app, job_protocol.owner_name()))
    _store[0].start()
    logging.getLogger().addHandler(_store[0])
    threading.Thread(target=_keep_house, name="housekeeping", daemon=True).start()


@huey.on_shutdown()
def say_goodbye() -> None:
    """Store the last lines, and leave the list of consumers: who left is not silent."""
    for handler in _store:
        logging.getLogger().removeHandler(handler)
        handler.stop()
    with app.app_context(), suppress(SQLAlchemyError):
        workers.leave()
        db.session.remove()


def _keep_house() -> None:
    with app.app_context():
        with suppress(SQLAlchemyError):  # the schedule comes soon
            metrics_refresh.refresh_at_start(_started_at)
        pause = threading.Event()
        while not pause.wait(settings().relay_seconds):
            if os.getpid() != _consumer_pid and os.getppid() != _consumer_pid:
                os._exit(1)  # an orphan would go on consuming with old code
            try:
                workers.beat()
                job_protocol.reap_lost_jobs()
                if not huey.is_stopping():
                    job_protocol.relay_due_jobs()
                    job_rescue.end_unknown_jobs(TASKS)
            except (SQLAlchemyError, MemoryError):  # this thread must not end while its process goes on
                log.warning("Housekeeping did not come to its end.", exc_info=True)
            finally:
                db.session.remove()


# What is loaded stays: no collection walks it again, and the forked processes go on sharing it.
gc.freeze()
gc.enable()
