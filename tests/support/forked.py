"""Processes that a mother forks for a test, handled as those of ``subprocess`` are. See ``mother``."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from config import ROOT
from tests.support.processes import die_with_parent, end_process, wait_until

START_SECONDS = 60.0
PAUSE_SECONDS = 0.01


class Mother:
    """A running mother of one kind: ``web`` or ``worker``."""

    def __init__(self, kind: str) -> None:
        environment = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ
        }
        command = [sys.executable, "-m", "tests.support.mother", kind]
        self._process = subprocess.Popen(
            die_with_parent(command, "KILL"),
            cwd=ROOT,
            env={**environment, "OPENBLAS_NUM_THREADS": "1"},  # who forks has one thread
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._unread = b""
        self._started: list[int] = []
        self._statuses: dict[int, int] = {}

    def fork(self, argv: Sequence[str], environment: Mapping[str, str], log: Path) -> "Forked":
        """Have a command run in a forked process, which appends what it prints to the log."""
        assert self._process.stdin is not None
        order = {"argv": list(argv), "environment": dict(environment), "log": str(log)}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        wait_until(self._has_started, lambda: "the mother of the processes is silent", START_SECONDS)
        return Forked(self, self._started.pop())

    def find_status(self, pid: int) -> int | None:
        """Return how a process has ended, None while it runs."""
        self._listen(0)
        return self._statuses.get(pid)

    def stop(self) -> None:
        """End the mother; by then her children have ended."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        end_process(self._process, signal.SIGKILL)

    def _has_started(self) -> bool:
        assert self._process.poll() is None, "the mother of the processes has died"
        self._listen(PAUSE_SECONDS)
        return bool(self._started)

    def _listen(self, patience: float) -> None:
        assert self._process.stdout is not None
        stream = self._process.stdout.fileno()
        while select.select([stream], [], [], patience)[0] and (news := os.read(stream, 4096)):
            *lines, self._unread = (self._unread + news).split(b"\n")
            for kind, *numbers in map(bytes.split, lines):
                if kind == b"started":
                    self._started.append(int(numbers[0]))
                else:
                    self._statuses[int(numbers[0])] = os.waitstatus_to_exitcode(int(numbers[1]))
            patience = 0


class Forked:
    """A process that a mother has forked, with the methods of ``subprocess.Popen`` that tests use."""

    def __init__(self, mother: Mother, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._mother = mother

    def poll(self) -> int | None:
        """Return the exit code, None while the process runs."""
        if self.returncode is None:
            self.returncode = self._mother.find_status(self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code; ``subprocess.TimeoutExpired`` when it does not come."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(PAUSE_SECONDS)
        return code

    def send_signal(self, kind: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, kind)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process."""
        self.send_signal(signal.SIGKILL)
