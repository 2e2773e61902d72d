"""Three months of ended jobs, as a busy shop would have left them: for the monitor, which must not slow down.

The jobs are drawn by a seed and inserted in bulk, with their tries, log lines and newest events.
"""

import random
import uuid
from bisect import bisect
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import accumulate, islice
from typing import Any

from sqlalchemy import Connection, insert, select

from webapp.models import Event, JobAttempt, JobLog, TaskNotification, User

DAYS = 90
CHUNK = 5_000
PEOPLE = 25
NOBODY = "!"  # no password has this hash
CAUSES = 300
LOG_LINES = 100_000  # what LOG_KEEP_ROWS lets stay
EVENTS = 20_000
MODELS = ("products", "outflows", "inflows", "brands", "categories", "suppliers", "models")
FORMATS = ("csv", "xlsx", "pdf", "json", "ndjson", "xml")
OWNERS = tuple(f"shop-{host}:{4000 + child}:18eac6144be08bfc" for host in (1, 2) for child in range(4))
# Shares of a hundred, and the median seconds that one takes.
KINDS = {"export": (55, 2.0), "import": (24, 12.0), "import_inspect": (21, 0.4)}
HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 20, 18, 14, 16, 19, 20, 18, 14, 9, 6, 4, 3, 2, 1)
TRACE = "Traceback (most recent call last):\n" + "".join(
    f'  File "webapp/services/layer_{depth}.py", line {40 + depth}, in step_{depth}\n    go_on(value_{depth})\n'
    for depth in range(12)
)


def fill_history(connection: Connection, jobs: int, now: datetime, seed: int = 1) -> None:
    """Add so many ended jobs of the last 90 days."""
    dice = random.Random(seed)  # noqa: S311 - the same history each time
    people = _add_people(connection)
    _insert(connection, TaskNotification, _draw_jobs(dice, jobs, now, people))
    job = TaskNotification
    known = select(JobAttempt.job_id)
    made = connection.execute(
        select(job.id, job.status, job.started_at).where(job.id.not_in(known)).order_by(job.id)
    ).all()
    _insert(connection, JobAttempt, (one for row in made for one in _draw_tries(row, dice)))
    _insert(connection, JobLog, _draw_lines(dice, [row.id for row in made], now))
    _insert(connection, Event, _draw_events(dice, now))


def _insert(connection: Connection, model: Any, rows: Iterable[dict[str, Any]]) -> None:
    left = iter(rows)
    while chunk := list(islice(left, CHUNK)):
        connection.execute(insert(model), chunk)


def _add_people(connection: Connection) -> list[int]:
    """Add users who cannot sign in; the first ones work the most."""
    if known := list(connection.scalars(select(User.id).where(User.password_hash == NOBODY))):
        return known
    rows = [
        {"email": f"person-{number}@shop.example", "email_key": f"person-{number}@shop.example"}
        for number in range(PEOPLE)
    ]
    connection.execute(insert(User), [row | {"password_hash": NOBODY, "role": "editor"} for row in rows])
    return list(connection.scalars(select(User.id).where(User.password_hash == NOBODY).order_by(User.id)))


def _draw_jobs(dice: random.Random, jobs: int, now: datetime, people: list[int]) -> Iterator[dict[str, Any]]:
    """Return the people's jobs and the house's own of the last day, in the order of their creation."""
    moments = _draw_moments(dice, jobs, now)
    marks = list(accumulate(1 / (cause + 1) for cause in range(CAUSES)))  # few causes make most failures
    for created_at in moments:
        is_own = now - created_at < timedelta(days=1) and dice.random() < 0.1
        kind = dice.choice(("metrics", "maintenance")) if is_own else _draw_kind(dice)
        cause = bisect(marks, dice.random() * marks[-1])
        yield _draw_job(dice, kind, created_at, None if is_own else people, cause)


def _draw_moments(dice: random.Random, jobs: int, now: datetime) -> list[datetime]:
    """Moments that crowd in the hours of business, and less at week-ends."""
    first = now - timedelta(days=DAYS)
    hours = [first + timedelta(hours=hour) for hour in range(DAYS * 24)]
    weights = [HOURS[hour.hour] * (0.3 if hour.weekday() > 4 else 1) for hour in hours]
    chosen = dice.choices(hours, weights, k=jobs)
    moments = [hour + timedelta(seconds=dice.random() * 3600) for hour in chosen]
    return sorted(min(moment, now - timedelta(seconds=60)) for moment in moments)


def _draw_kind(dice: random.Random) -> str:
    return dice.choices(list(KINDS), [share for share, _ in KINDS.values()])[0]


def _draw_job(
    dice: random.Random, kind: str, created_at: datetime, people: list[int] | None, cause: int
) -> dict[str, Any]:
    status = dice.choices(("completed", "failed", "cancelled"), (97, 2, 1))[0]
    started_at = created_at + timedelta(seconds=dice.expovariate(1))
    seconds = KINDS.get(kind, (0, 0.3))[1] * dice.lognormvariate(0, 1)
    rows = int(dice.lognormvariate(6, 2))
    has_failed = status == "failed"
    return {
        "task_id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        "task_type": kind,
        "model_name": dice.choice(MODELS) if people else None,
        "file_format": dice.choice(FORMATS) if kind == "export" else None,
        "params": {"fields": ["serial_number", "title"], "filters": {"q": f"word {dice.randrange(5000)}"}},
        "user_id": people[min(int(dice.expovariate(0.2)), PEOPLE - 1)] if people else None,
        "status": status,
        "processed": rows,
        "total": rows,
        "record_count": rows if status == "completed" else None,
        "attempt": 4 if has_failed else 1,
        "token": 4 if has_failed else 1,
        "lease_owner": dice.choice(OWNERS),
        "error_message": f"Row {rows}: the cause {cause} came up again." if has_failed else None,
        "traceback": TRACE + f"ValueError: cause {cause}" if has_failed else None,
        "failure_kind": {"failed": "error", "cancelled": "cancelled"}.get(status),
        "error_fingerprint": f"{cause:064x}" if has_failed else None,
        "is_read": dice.random() < 0.9,
        "code_version": "0.1.0+3f9ac21d",
        "run_after": created_at,
        "created_at": created_at,
        "started_at": started_at,
        "completed_at": started_at + timedelta(seconds=min(seconds, 55)),
    }


def _draw_tries(job: Any, dice: random.Random) -> list[dict[str, Any]]:
    outcomes = ["error", "error", "error", "failed"] if job.status == "failed" else [job.status]
    if dice.random() < 0.005:
        outcomes.insert(0, "crash")
    return [
        {
            "job_id": job.id,
            "token": number,
            "attempt": number,
            "owner": dice.choice(OWNERS),
            "started_at": job.started_at,
            "ended_at": job.started_at + timedelta(seconds=1),
            "outcome": outcome,
            "error_message": "It came up again." if outcome in {"error", "failed"} else None,
            "traceback": TRACE if outcome in {"error", "failed"} else None,
        }
        for number, outcome in enumerate(outcomes, 1)
    ]


def _draw_lines(dice: random.Random, job_ids: list[int], now: datetime) -> Iterator[dict[str, Any]]:
    newest = job_ids[-LOG_LINES // 2 :]
    count = min(LOG_LINES, 2 * len(newest))
    for number in range(count):
        yield {
            "job_id": newest[number // 2],
            "consumer": dice.choice(OWNERS),
            "at": now - timedelta(seconds=count - number),
            "level": dice.choices(("INFO", "WARNING", "ERROR"), (95, 4, 1))[0],
            "logger": "webapp.services.job_protocol",
            "message": f"Job {newest[number // 2]} was seen, and word {dice.randrange(5000)} was said of it.",
        }


def _draw_events(dice: random.Random, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(EVENTS):
        yield {
            "at": now - timedelta(seconds=EVENTS - number),
            "audience": "role:admin",
            "name": "jobs_changed",
            "data": {"task_id": str(uuid.UUID(int=dice.getrandbits(128), version=4))},
        }
