"""What shall go wrong in a worker, and where: written by a test, carried out by ``mutant_worker``.

A fault is taken as often as it says by all processes together: each taking is a file in the test's
folder, which holds the id of the process that took it.
"""

import errno
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError

VARIABLE = "STOCKROOM_TEST_PLAN"
MEMORY_LEFT = 64 << 20
UNPICKLABLE = "unpicklable"  # a kind of job whose body returns what cannot be pickled


@dataclass(frozen=True)
class Fault:
    """At a point of a job: the nth time that a try comes by, or in the batch that has a line."""

    point: str
    action: str
    number: int = 0
    line: int = 0
    times: int = 1
    seconds: float = 0
    task_type: str = "import"

    @property
    def name(self) -> str:
        """Its name in the folder."""
        return f"{self.point}-{self.action}-{self.number}-{self.line}"

    def is_met(self, number: int, lines: range) -> bool:
        """Whether this passing is meant."""
        if self.line:
            return self.line in lines
        return self.number in (0, number)

    def take(self, folder: Path) -> bool:
        """Whether it is still to happen; who asks must let it happen."""
        note = folder / f"{self.name}.{os.getpid()}.note"
        note.write_text(str(os.getpid()))
        try:
            return any(_link(note, folder / f"{self.name}.{time}") for time in range(1, self.times + 1))
        finally:
            note.unlink()

    def act(self, folder: Path, quiet: AbstractContextManager[Any]) -> None:
        """Let it happen to this process."""
        if self.action == "wait":
            while not (folder / f"{self.name}.go").exists():
                time.sleep(0.01)
        elif self.action == "stop":
            with quiet:  # no other thread is inside a transaction, whose lock would freeze with it
                os.kill(os.getpid(), signal.SIGSTOP)
        else:
            ACTIONS[self.action](self)


def _link(note: Path, target: Path) -> bool:
    try:
        os.link(note, target)
    except FileExistsError:
        return False
    return True


def _fill_memory(_fault: Fault) -> None:
    """Take all that the process is left, to the last crumb."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_LEFT, resource.RLIM_INFINITY))
    kept: list[bytearray] = []
    for size in (1 << 20, 1 << 12):
        with suppress(MemoryError):
            while True:
                kept.append(bytearray(size))
    kept.append(bytearray(1 << 20))


def _fill_disk(_fault: Fault) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _deadlock(_fault: Fault) -> None:
    raise OperationalError("SELECT 1", None, Exception("deadlock detected"))


def _leave(_fault: Fault) -> None:
    sys.exit(3)


ACTIONS: dict[str, Callable[[Fault], None]] = {
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda _: os._exit(3),
    "leave": _leave,
    "sleep": lambda fault: time.sleep(fault.seconds),
    "memory": _fill_memory,
    "disk": _fill_disk,
    "deadlock": _deadlock,
}


@dataclass(frozen=True)
class Plan:
    """What a test wants of its workers."""

    folder: Path
    faults: tuple[Fault, ...] = ()
    without: tuple[str, ...] = ()
    batch_rows: int = 10
    tick_seconds: float = 0
    version: str = ""
    """The code's version: with one, a worker of newer code, whose imports remember where they are otherwise."""

    def to_text(self) -> str:
        """Return it as the variable's text."""
        return json.dumps({**asdict(self), "folder": str(self.folder)})

    @classmethod
    def from_environment(cls) -> "Plan":
        """Return the plan of this process."""
        values = json.loads(os.environ[VARIABLE])
        values["faults"] = tuple(Fault(**item) for item in values["faults"])
        return cls(**{**values, "folder": Path(values["folder"]), "without": tuple(values["without"])})
