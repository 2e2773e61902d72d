"""What the processes say: one line for each thing, on standard output, with the job that it is about."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

from config import Settings

PLAIN = "%(moment)s %(levelname)s %(consumer)s %(name)s%(about)s: %(message)s"


@dataclass(frozen=True)
class AboutJob:
    """The job that lines are about at the moment."""

    id: int
    task_id: str


_about: ContextVar[AboutJob | None] = ContextVar("about_job", default=None)


@contextmanager
def of_job(job_id: int, task_id: str) -> Iterator[None]:
    """Put the job on every line that is logged inside the block, in this thread."""
    token = _about.set(AboutJob(job_id, task_id))
    try:
        yield
    finally:
        _about.reset(token)


def find_job() -> AboutJob | None:
    """Return the job that a line logged now would be about."""
    return _about.get()


def process_name() -> str:
    """Return what tells this process's lines from others': host and process id."""
    return f"{os.uname().nodename[:40]}:{os.getpid()}"


def moment_of(record: logging.LogRecord) -> datetime:
    """Return when a line was logged, in UTC."""
    return datetime.fromtimestamp(record.created, UTC)


class PlainFormatter(logging.Formatter):
    """A line for people: time, level, process, logger, job, message; a traceback goes below it."""

    def __init__(self) -> None:
        super().__init__(PLAIN)

    def format(self, record: logging.LogRecord) -> str:
        """Add the moment in UTC and the job."""
        about = _about.get()
        record.moment = moment_of(record).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record.consumer = process_name()
        record.about = f" [{about.task_id}]" if about else ""
        return super().format(record)


class JsonFormatter(logging.Formatter):
    """A line for machines: one JSON object, whatever the message holds."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object as one line."""
        about = _about.get()
        line = {
            "at": moment_of(record).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "consumer": process_name(),
            "job_id": about.task_id if about else None,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(settings: Settings) -> None:
    """Give this process's lines the shape of the settings. Repeating it is harmless.

    They go to standard error, because a command's answer is on standard output; servers call
    ``use_stdout``.
    """
    root = logging.getLogger()
    root.setLevel(settings.log_level)
    logging.getLogger("alembic").setLevel("WARNING")
    _house_handler().setFormatter(JsonFormatter() if settings.log_format == "json" else PlainFormatter())


def use_stdout() -> None:
    """Send the lines of a server, web or worker, to standard output."""
    _house_handler().stream_name = "stdout"


def _house_handler() -> "HouseHandler":
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler, HouseHandler):
            return handler
    made = HouseHandler()
    root.addHandler(made)
    return made


class HouseHandler(logging.Handler):
    """Writes to what is the standard stream at the moment of the line: tests and servers replace it."""

    def __init__(self) -> None:
        super().__init__()
        self.stream_name = "stderr"

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            stream = getattr(sys, self.stream_name)
            stream.write(self.format(record) + "\n")
            stream.flush()
        except Exception:  # noqa: BLE001 - a line that cannot be written must not end what it is about
            self.handleError(record)
