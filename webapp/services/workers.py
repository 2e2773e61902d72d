"""Worker processes, known by their heartbeat."""

import os
import resource
import socket
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, func, insert, select, update

from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Consumer
from webapp.models.clock import db_now
from webapp.services.job_protocol import OWNER_BOOT, owner_name, running_job_id
from webapp.version import get_version

SILENT_AFTER = timedelta(seconds=30)
FORGOTTEN_AFTER_SECONDS = 60 * 60


def beat() -> None:
    """Say that this process lives; the first time it introduces itself."""
    with write_transaction() as session:
        changing = {
            "heartbeat_at": db_now(0),
            "memory_bytes": measure_memory(),
            "busy_job_id": running_job_id(),
        }
        known = session.execute(update(Consumer).where(Consumer.name == owner_name()).values(**changing))
        if known.rowcount:  # type: ignore[attr-defined]
            return
        session.execute(
            insert(Consumer).values(
                name=owner_name(),
                host=socket.gethostname(),
                pid=os.getpid(),
                boot_id=OWNER_BOOT,
                version=get_version(),
                started_at=db_now(0),
                **changing,
            )
        )
        session.execute(delete(Consumer).where(Consumer.heartbeat_at < db_now(-FORGOTTEN_AFTER_SECONDS)))


def leave() -> None:
    """Take this process off the list: it ends as it should."""
    with write_transaction() as session:
        session.execute(delete(Consumer).where(Consumer.name == owner_name()))


def measure_memory() -> int:
    """Return the bytes that this process holds in memory; where that is not told, the most it ever held."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def count_alive(now: datetime) -> int:
    """Return how many worker processes were heard of lately."""
    query = select(func.count()).where(Consumer.heartbeat_at > now - SILENT_AFTER)
    return db.session.scalar(query) or 0


def is_any_alive(now: datetime) -> bool:
    """Whether a worker was heard of lately: when none was, a page says that jobs are waiting."""
    latest = db.session.scalar(select(func.max(Consumer.heartbeat_at)))
    return latest is not None and now - latest < SILENT_AFTER
