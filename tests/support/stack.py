"""The real processes: web and workers as the Procfile starts them, with an environment of the test's own."""

import os
import shlex
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import pytest

from config import ROOT
from tests.support.forked import Forked, Mother
from tests.support.houses import Environment
from tests.support.processes import (
    await_end,
    die_with_parent,
    find_in_sessions,
    find_marked,
    free_port,
    wait_until,
)

MARK = "STOCKROOM_TEST_MARK"
TRIES = 3
TAIL_LINES = 40
GRACE_SECONDS = 2

# Every wait of the protocol, short enough for a test and long enough for a busy machine.
FAST = {
    "RELAY_SECONDS": "0.2",
    "LEASE_SECONDS": "3",
    "HEARTBEAT_SECONDS": "0.3",
    "RETRY_DELAY_SECONDS": "1",
    "EVENT_POLL_SECONDS": "0.05",
    "LOG_LEVEL": "INFO",
}


def procfile_command(name: str) -> list[str]:
    """Return the command of one line of the Procfile, as a shell's ``exec`` would get it."""
    for line in (ROOT / "Procfile").read_text().splitlines():
        kind, _, command = line.partition(":")
        if kind == name:
            return shlex.split(command.strip().removeprefix("exec "))
    raise LookupError(name)


@dataclass
class Started:
    """One process and what it printed."""

    name: str
    process: "subprocess.Popen[bytes] | Forked"
    log: Path

    @property
    def pid(self) -> int:
        """Its id."""
        return self.process.pid

    def output(self) -> str:
        """What it printed so far."""
        return self.log.read_text(errors="replace")


@dataclass
class Stack:
    """The processes of one house.

    Those that are started carry a mark in their environment, by which they and their children are found
    again; those that are forked have a session of their own.
    """

    environment: Environment
    folder: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: list[Started] = field(default_factory=list)
    port: int = 0
    mothers: Callable[[str], Mother] | None = None  # of those processes that need not be started from nothing

    @property
    def url(self) -> str:
        """The address of the web process."""
        return f"http://127.0.0.1:{self.port}"

    def start_web(self) -> Started:
        """Start the web process and wait until it answers; on another port when somebody was quicker."""
        for _ in range(TRIES):
            self.port = free_port()
            web = self.start("web", procfile_command("web"), PORT=str(self.port))
            wait_until(partial(self._has_settled, web), lambda: f"web is silent:\n{self.tails()}")
            if web.process.poll() is None:
                return web
        pytest.fail(f"web does not start:\n{web.output()}", pytrace=False)

    def start_worker(self, module: str = "tasks.worker", **variables: str) -> Started:
        """Start a consumer. It need not be waited for: the jobs are."""
        command = [part.replace("tasks.worker", module) for part in procfile_command("worker")]
        return self.start("worker", command, **variables)

    def start(self, name: str, command: Sequence[str], **variables: str) -> Started:
        """Start a command in a session of its own, with the house's environment."""
        log = self.folder / f"{name}-{len(self.started)}.log"
        process = self._fork(name, command, variables, log) or self._start(command, variables, log)
        self.started.append(Started(name, process, log))
        return self.started[-1]

    def _fork(
        self, name: str, command: Sequence[str], variables: Mapping[str, str], log: Path
    ) -> Forked | None:
        if self.mothers is None or list(command) != procfile_command(name):
            return None
        environment = self.make_environment(variables)
        if environment["ASYNC_MODE"] not in ("", "eventlet"):  # the mother of web processes is patched
            return None
        log.touch()
        return self.mothers(name).fork(command, environment, log)

    def _start(
        self, command: Sequence[str], variables: Mapping[str, str], log: Path
    ) -> "subprocess.Popen[bytes]":
        with log.open("wb") as output:
            return subprocess.Popen(
                die_with_parent(command, "KILL"),
                cwd=ROOT,
                env=self.make_environment(variables),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def make_environment(self, variables: Mapping[str, str]) -> Environment:
        """Return what a process of this house finds in its environment, and nothing of the test run's."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        machine = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        own = {"PATH": path, "TZ": "UTC", "PYTHONUNBUFFERED": "1", MARK: self.mark}
        return machine | own | self.environment | FAST | dict(variables)

    def _has_settled(self, web: Started) -> bool:
        if web.process.poll() is not None:
            return True
        try:
            return httpx.get(f"{self.url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> dict[str, int]:
        """End everything with SIGTERM and return the exit codes; fail when a process stays."""
        alive = [item for item in self.started if item.process.poll() is None]
        for item in alive:  # all at once: they need not wait for each other
            item.process.send_signal(signal.SIGTERM)
        codes = {item.name: await_end(item.process) for item in self.started}
        deaf = [item.name for item in alive if item.process.returncode == -signal.SIGKILL]
        assert deaf == [], f"processes that did not listen to SIGTERM:\n{self.tails()}"
        deadline = time.monotonic() + GRACE_SECONDS
        while (left := self._find_left()) and time.monotonic() < deadline:
            time.sleep(0.05)  # the kernel is still burying the last of them
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert left == [], f"processes that outlived their stop:\n{self.tails()}"
        return codes

    def _find_left(self) -> list[int]:
        return find_marked(self.mark) + find_in_sessions({item.pid for item in self.started})

    def tails(self) -> str:
        """The last lines that each process printed."""
        parts = []
        for item in self.started:
            lines = item.output().splitlines()[-TAIL_LINES:]
            parts.append(
                f"--- {item.name} (pid {item.pid}, exit code {item.process.poll()})\n" + "\n".join(lines)
            )
        return "\n".join(parts)
