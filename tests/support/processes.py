"""Processes that tests start: found and ended by their id, never by their name."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.forked import Forked

PATIENCE_SECONDS = 30.0


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(
    condition: Callable[[], object], complaint: Callable[[], str], patience: float = PATIENCE_SECONDS
) -> None:
    """Wait until the condition holds, however slow the machine; fail the test when it never does."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(complaint(), pytrace=False)
        time.sleep(0.02)


def on_this_machine(seconds: float) -> float:
    """Return how long that may take here: longer by as much as the processors have more to do than they can."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def die_with_parent(command: Sequence[str], name: str) -> list[str]:
    """Return the command that gets a signal when the test run is killed. The process id stays the same."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return list(command)
    # One setpriv does both: a change of user would take the wish back.
    rest = list(command[1:]) if command[0] == "setpriv" else ["--", *command]
    return [setpriv, "--pdeathsig", name, *rest]


def end_process(process: subprocess.Popen[bytes], kind: signal.Signals, patience: float = 15.0) -> int:
    """Ask a process to end and return its exit code; killed when it does not listen."""
    if process.poll() is None:
        process.send_signal(kind)
    return await_end(process, patience)


def await_end(process: "subprocess.Popen[bytes] | Forked", patience: float = 15.0) -> int:
    """Wait for a process that was told to end, and return its exit code; killed when it does not listen."""
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def find_marked(marker: str) -> list[int]:
    """Return the ids of the processes that carry this text in their environment."""
    return _find_processes(lambda folder: marker.encode() in (folder / "environ").read_bytes())


def find_in_sessions(leaders: Collection[int]) -> list[int]:
    """Return the ids of the processes in the sessions of these leaders; not of those that wait for burial."""

    def is_in_one(folder: Path) -> bool:
        state, _parent, _group, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
        return int(session) in leaders and state != "Z"

    return _find_processes(is_in_one)


def _find_processes(is_wanted: Callable[[Path], bool]) -> list[int]:
    """Return the ids of the others whose folder in /proc says that they are wanted."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if is_wanted(folder):
                found.append(int(folder.name))
        except OSError:  # it ended meanwhile, or belongs to another user
            continue
    return [pid for pid in found if pid != os.getpid()]


def children_of(pid: int) -> list[int]:
    """Return the ids of a process's children."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(item) for item in text.split()]
