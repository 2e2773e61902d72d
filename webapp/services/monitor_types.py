"""What the monitor answers with: plain values, ready to be shown. Moments are UTC, durations seconds."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from webapp.models import JobAttempt, TaskNotification

# The shown states. Four of them are read out of a row that is "pending" or "processing":
# scheduled (not due yet), retrying (waits for its next try), stalled (its lease ran out).
SHOWN_STATES = (
    "scheduled",
    "pending",
    "retrying",
    "processing",
    "stalled",
    "completed",
    "failed",
    "cancelled",
)


@dataclass(frozen=True)
class Count:
    """How many there are; with ``is_capped`` there are at least that many."""

    value: int
    is_capped: bool = False


@dataclass(frozen=True)
class Percentiles:
    """The middle and the slow end of a set of durations, in seconds; None when there were none."""

    p50: float | None
    p95: float | None


@dataclass(frozen=True)
class MinuteCount:
    """How many jobs ended in one minute."""

    minute: datetime
    completed: int
    failed: int
    cancelled: int


@dataclass(frozen=True)
class Health:
    """Whether a store answers. ``latency`` in seconds; ``waiting`` messages in the queue where known."""

    name: str  # postgresql, sqlite, redis
    is_ok: bool
    latency: float | None
    checked_at: datetime | None
    waiting: int | None = None
    problem: str = ""


@dataclass(frozen=True)
class Overview:
    """The whole house at a glance."""

    at: datetime
    counts: dict[str, Count]  # by shown state, in the order of SHOWN_STATES
    throughput: list[MinuteCount]  # the last 60 minutes, oldest first, without gaps
    wait: Percentiles  # from due to started, of the jobs that ended in the last hour
    run: Percentiles  # from started to ended, of the same
    oldest_waiting_seconds: float | None  # how long the oldest due job has been waiting
    busy_workers: int
    total_workers: int
    database: Health
    broker: Health
    is_nothing_consuming: bool  # no consumer was heard of lately


@dataclass(frozen=True)
class JobFilter:
    """Which jobs: every given part must match. ``text``: an id, or words of kind, resource, params, error."""

    state: str | None = None
    task_type: str | None = None
    model_name: str | None = None
    user_id: int | None = None
    since: datetime | None = None  # created at or after
    until: datetime | None = None  # created before
    ended_since: datetime | None = None  # ended at or after
    ended_until: datetime | None = None  # ended before
    text: str = ""
    fingerprint: str | None = None  # the failures of one group


@dataclass(frozen=True)
class JobRow:
    """A job in a list, with what only the clock tells."""

    job: TaskNotification
    state: str  # one of SHOWN_STATES
    is_stuck: bool  # its process lives, but the work has not moved for a long time
    wait_seconds: float | None
    run_seconds: float | None


@dataclass(frozen=True)
class JobPage:
    """One page of jobs, newest first. ``next_cursor`` (an id) fetches the next one; None at the end."""

    rows: list[JobRow]
    next_cursor: int | None
    is_bounded: bool  # only the newest jobs were searched: the filter has no index to go by


@dataclass(frozen=True)
class StateSpan:
    """A job was in a state from one moment to another; ``seconds`` until now while it lasts."""

    state: str  # a shown state, or an attempt's outcome: error, crash, released, forced
    started_at: datetime
    ended_at: datetime | None
    seconds: float
    attempt: int | None = None


@dataclass(frozen=True)
class Attempt:
    """One try. Tracebacks are empty for who is not an administrator."""

    record: JobAttempt
    seconds: float | None
    host: str
    pid: int | None
    own_frames: str  # the traceback without the libraries' frames
    full_traceback: str


@dataclass(frozen=True)
class RunningStack:
    """Where the task's thread was at a heartbeat; ``age_seconds`` old."""

    text: str
    at: datetime
    age_seconds: float


@dataclass(frozen=True)
class Pace:
    """Rows a second, and the seconds that are left where that can be told."""

    rows_per_second: float
    seconds_left: float | None


@dataclass(frozen=True)
class Outcome:
    """How one job ended (or that it still runs), told among others of its kind."""

    task_id: str
    status: str
    at: datetime
    seconds: float | None


@dataclass(frozen=True)
class Deed:
    """What somebody did to a job."""

    at: datetime
    who: str  # an e-mail address
    action: str  # retry, cancel, run_now, force_release, run_again, import_again


@dataclass(frozen=True)
class JobDetail:
    """All that is known of one job."""

    row: JobRow
    history: list[StateSpan]
    attempts: list[Attempt]
    params: dict[str, Any]  # values of secrets are replaced by HIDDEN
    pace: Pace | None
    import_public_id: str | None
    host: str
    pid: int | None
    delete_at: datetime | None  # when the nightly sweep takes the row; None: it is kept
    file_delete_at: datetime | None
    stack: RunningStack | None
    actions: frozenset[str]  # of retry, run_now, cancel, force_release, run_again, import_again, delete
    same_kind: list[Outcome]  # the last ones of its kind, oldest first
    deeds: list[Deed]  # what people did to it, oldest first
    raw: dict[str, Any]  # the row as JSON values, secrets hidden


@dataclass(frozen=True)
class LogLine:
    """One line of a consumer's log."""

    id: int
    at: datetime
    level: str
    logger: str
    message: str
    exception: str
    consumer: str
    task_id: str | None  # of the job it was about; None of none, or of a deleted one


@dataclass(frozen=True)
class LogPage:
    """Log lines, oldest first. ``first_id`` and ``last_id`` are cursors for before_id and after_id."""

    lines: list[LogLine]
    first_id: int | None
    last_id: int | None
    has_more: bool  # there are more in the direction that was asked for
    dropped: int = 0  # lines that were never stored, because too many came at once


@dataclass(frozen=True)
class ConsumerRow:
    """One worker process."""

    id: int
    name: str
    host: str
    pid: int
    version: str
    started_at: datetime
    heartbeat_at: datetime
    silent_seconds: float
    memory_bytes: int | None
    is_stale: bool  # not heard of for 30 s
    is_skewed: bool  # runs another version than the web process
    job: TaskNotification | None  # what it works on
    jobs: list[TaskNotification] = field(default_factory=list)


@dataclass(frozen=True)
class ScheduleRow:
    """One schedule."""

    name: str
    task_type: str
    expression: str  # as crontab writes it, in UTC
    words: str  # an untranslated sentence for gettext
    is_enabled: bool
    last_run_at: datetime | None
    next_run_at: datetime | None  # None while it is disabled
    outcomes: list[Outcome]  # the last 10, oldest first


@dataclass(frozen=True)
class FailureGroup:
    """Failures of one kind with one cause."""

    task_type: str
    fingerprint: str  # "" for failures without one (crashes, bad input of old versions)
    count: int
    first_at: datetime
    last_at: datetime
    message: str  # normalised: numbers and ids are replaced by …
    sample_task_id: str


@dataclass(frozen=True)
class ActionResult:
    """What became of an action on many jobs."""

    done: int
    skipped: int  # ended meanwhile, in another state, somebody else's, or gone
