"""Worker processes, known by their heartbeat."""

import os
import socket
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Consumer
from webapp.models.clock import db_now
from webapp.services.job_protocol import OWNER_BOOT, owner_name

SILENT_AFTER = timedelta(seconds=30)
FORGOTTEN_AFTER_SECONDS = 60 * 60


def beat() -> None:
    """Say that this process lives; the first time it introduces itself."""
    with write_transaction() as session:
        known = session.execute(
            update(Consumer).where(Consumer.name == owner_name()).values(heartbeat_at=db_now(0))
        )
        if known.rowcount:  # type: ignore[attr-defined]
            return
        session.execute(
            insert(Consumer).values(
                name=owner_name(),
                host=socket.gethostname(),
                pid=os.getpid(),
                boot_id=OWNER_BOOT,
                started_at=db_now(0),
                heartbeat_at=db_now(0),
            )
        )
        session.execute(delete(Consumer).where(Consumer.heartbeat_at < db_now(-FORGOTTEN_AFTER_SECONDS)))


def is_any_alive(now: datetime) -> bool:
    """Whether a worker was heard of lately: when none was, a page says that jobs are waiting."""
    latest = db.session.scalar(select(func.max(Consumer.heartbeat_at)))
    return latest is not None and now - latest < SILENT_AFTER
