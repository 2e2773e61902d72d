"""The worker processes, as the monitor lists them."""

from collections import defaultdict

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Consumer, TaskNotification, User
from webapp.services import workers
from webapp.services.accounts import require_role
from webapp.services.monitor_states import get_now
from webapp.services.monitor_types import ConsumerRow
from webapp.version import get_version


def list_consumers(actor: User) -> list[ConsumerRow]:
    """Return the consumers that were heard of in the last hour, those that live first."""
    require_role(actor, "admin")
    now = get_now()
    running: defaultdict[str, list[TaskNotification]] = defaultdict(list)
    for job in db.session.scalars(select(TaskNotification).where(TaskNotification.status == "processing")):
        running[job.lease_owner or ""].append(job)
    rows = []
    for consumer in db.session.scalars(select(Consumer)):
        silent = (now - consumer.heartbeat_at).total_seconds()
        jobs = running[consumer.name]
        rows.append(
            ConsumerRow(
                id=consumer.id,
                name=consumer.name,
                host=consumer.host,
                pid=consumer.pid,
                version=consumer.version or "",
                started_at=consumer.started_at,
                heartbeat_at=consumer.heartbeat_at,
                silent_seconds=max(0.0, silent),
                memory_bytes=consumer.memory_bytes,
                is_stale=silent > workers.SILENT_AFTER.total_seconds(),
                is_skewed=bool(consumer.version) and consumer.version != get_version(),
                job=jobs[0] if jobs else None,
                jobs=jobs,
            )
        )
    return sorted(rows, key=lambda row: (row.is_stale, row.host, row.pid))
