"""Jobs in every state that the monitor shows, as time and workers would have left them."""

from typing import Any

from sqlalchemy import insert

from tests.support.jobs import ask, change, claim, look_at
from webapp.database import write_transaction
from webapp.models import Consumer, JobAttempt, JobLog, User
from webapp.models.clock import db_now

OWNER = "shop-1:4711:abc"
TRACE = """Traceback (most recent call last):
  File "webapp/services/exports.py", line 141, in run_export
    writer.write(rows)
OSError: [Errno 28] No space left on device
"""


def fill_monitor(user: User) -> dict[str, str]:
    """Make one job in each shown state and return their task ids by state."""
    made: dict[str, int] = {}
    for state in ("scheduled", "pending", "retrying", "processing", "stalled"):
        made[state] = _ask(user, delay=3600 if state == "scheduled" else 0)
    for state in ("completed", "failed", "cancelled"):
        made[state] = _ask(user)
    change(made["retrying"], attempt=1, run_after=db_now(3600), error_message="The database was busy.")
    for state in ("processing", "stalled"):
        claim(made[state], OWNER)
    change(made["processing"], processed=300, total=1000, lease_until=db_now(3600), started_at=db_now(-60))
    change(made["stalled"], lease_until=db_now(-60))
    _end(made["completed"], "completed", record_count=12)
    _end(made["cancelled"], "cancelled")
    fail(made["failed"])
    return {state: look_at(job_id).task_id for state, job_id in made.items()}


def fail(job_id: int, message: str = "The disk is full.", fingerprint: str = "f" * 64) -> None:
    """Let a job have failed once, with its try and its traceback."""
    _end(job_id, "failed", error_message=message, traceback=TRACE, error_fingerprint=fingerprint)
    with write_transaction() as session:
        values: dict[str, Any] = {
            "job_id": job_id,
            "token": 99,
            "attempt": 1,
            "owner": OWNER,
            "outcome": "failed",
            "error_message": message,
            "traceback": TRACE,
            "started_at": db_now(-5),
            "ended_at": db_now(0),
        }
        session.execute(insert(JobAttempt).values(values))


def log_line(message: str, job_id: int | None = None, level: str = "INFO") -> None:
    """Store a line that a consumer logged."""
    with write_transaction() as session:
        line = {"message": message, "job_id": job_id, "level": level, "consumer": OWNER, "logger": "tests"}
        session.execute(insert(JobLog).values(line))


def start_consumer() -> None:
    """Let a worker have been heard of just now."""
    with write_transaction() as session:
        session.execute(
            insert(Consumer).values(
                name=OWNER,
                host="shop-1",
                pid=4711,
                boot_id="abc",
                version="0.0.1",
                heartbeat_at=db_now(0),
                memory_bytes=200_000_000,
            )
        )


def _ask(user: User, **options: Any) -> int:
    params = {"fields": ["serial_number"], "filters": {}, "api_token": "very secret"}
    return ask(user, model_name="products", file_format="csv", params=params, **options)


def _end(job_id: int, status: str, **values: Any) -> None:
    ended = {"status": status, "started_at": db_now(-5), "completed_at": db_now(0), "attempt": 1}
    change(job_id, **ended, **values)
