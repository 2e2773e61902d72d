"""Whether this process can do its part now: for balancers and monitors. What it says holds no secrets.

The words are for operators and logs, so they are in English, whatever the language of the shop.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, false
from sqlalchemy.exc import SQLAlchemyError

from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Event
from webapp.services import files, health, workers
from webapp.services.monitor_states import get_now
from webapp.services.queue_figures import measure_queue

log = logging.getLogger(__name__)

Figures = dict[str, float | int | None]


@dataclass(frozen=True)
class Check:
    """One question and its answer."""

    is_ok: bool
    detail: str
    figures: Figures


def check_readiness() -> dict[str, Check]:
    """Return every check under its name, in the order in which to read them."""
    return {name: _ask(name, check) for name, check in CHECKS.items()}


def _ask(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except SQLAlchemyError:
        log.warning("The check of readiness “%s” cannot ask the database.", name, exc_info=True)
        db.session.rollback()
        return Check(is_ok=False, detail="The database does not answer or takes no writes.", figures={})


def _check_database() -> Check:
    """Write what changes nothing: a server that only reads refuses it, a lock that is never free does, too."""
    with write_transaction() as session:
        session.execute(delete(Event).where(false()))
    return Check(is_ok=True, detail="The database takes writes.", figures={})


def _check_queue() -> Check:
    figures = measure_queue(get_now())
    is_ok = health.check_broker().is_ok
    detail = "The queue answers." if is_ok else "The queue does not answer: see whether its server runs."
    return Check(is_ok, detail, {"depth": figures.depth, "oldest_seconds": figures.oldest_waiting_seconds})


def _check_workers() -> Check:
    alive = workers.count_alive(get_now())
    detail = (
        "Workers are heard of." if alive else "No worker was heard of lately: start one, jobs wait for it."
    )
    return Check(alive > 0, detail, {"alive": alive})


def _check_disk() -> Check:
    free = files.measure_free_disk()
    is_ok = free >= files.FREE_DISK_FLOOR
    detail = "There is room on the disk." if is_ok else "The disk is nearly full: free some space."
    return Check(is_ok, detail, {"free_bytes": free, "floor_bytes": files.FREE_DISK_FLOOR})


CHECKS: dict[str, Callable[[], Check]] = {
    "database": _check_database,
    "queue": _check_queue,
    "workers": _check_workers,
    "disk": _check_disk,
}
