"""What ``huey_consumer`` loads: the application, the queue, and what keeps a worker process honest."""

import ctypes
import logging
import os
import signal
import sys
import threading

from sqlalchemy.exc import SQLAlchemyError

from tasks.queue import huey
from webapp import create_app, live
from webapp.extensions import db, settings
from webapp.services import job_protocol, workers

__all__ = ["app", "huey"]

log = logging.getLogger(__name__)
PR_SET_PDEATHSIG = 1  # linux/prctl.h

app = create_app()
_consumer_pid = os.getpid()


def _begin_child() -> None:
    """Start a forked worker clean: no inherited connections, and no life after its parent's."""
    live.forget_nudges()
    with app.app_context():
        db.engine.dispose(close=False)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


os.register_at_fork(after_in_child=_begin_child)


@huey.on_startup()
def start_housekeeping() -> None:
    """Start the thread that relays, reaps and says that this worker lives."""
    threading.Thread(target=_keep_house, name="housekeeping", daemon=True).start()


def _keep_house() -> None:
    with app.app_context():
        pause = threading.Event()
        while not pause.wait(settings().relay_seconds):
            if os.getpid() != _consumer_pid and os.getppid() != _consumer_pid:
                os._exit(1)  # an orphan would go on consuming with old code
            try:
                workers.beat()
                job_protocol.reap_lost_jobs()
                if not huey.is_stopping():
                    job_protocol.relay_due_jobs()
            except SQLAlchemyError:
                log.warning("Housekeeping could not reach the database.", exc_info=True)
            finally:
                db.session.remove()
