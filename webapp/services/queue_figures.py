"""How many jobs wait for a worker, and for how long: cheap, whatever the history."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import TaskNotification


@dataclass(frozen=True)
class QueueFigures:
    """The jobs that are due and that no worker has taken yet."""

    depth: int
    oldest_waiting_seconds: float | None


def measure_queue(now: datetime) -> QueueFigures:
    """Return how full the queue is. A retry that waits for its time is not due."""
    query = select(func.count(), func.min(TaskNotification.run_after)).where(
        TaskNotification.status == "pending", TaskNotification.run_after <= now
    )
    depth, oldest = db.session.execute(query).one()
    return QueueFigures(depth, max(0.0, (now - oldest).total_seconds()) if oldest else None)
