"""How long a program runs, and how much memory it and its children hold together at most."""

import ctypes
import os
import platform
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import children_of

MEBIBYTE = 1 << 20
SAMPLE_SECONDS = 0.05
KCMP = {"x86_64": 312, "aarch64": 272}  # kcmp(2), the number of the system call
KCMP_VM = 1


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run: its wall-clock seconds, the tree's peak of proportional set size in MiB, and what it printed."""

    seconds: float
    peak_mb: float
    output: str


def run_measured(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measurement:
    """Run a program to its end and measure it. RuntimeError shows what a failed one said."""
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as complaints:
        started = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 - the bench's own commands
            list(command), env=dict(environment or os.environ), stdout=printed, stderr=complaints
        )
        meter = MemoryMeter(process.pid)
        meter.start()
        code = process.wait()
        seconds = time.monotonic() - started
        meter.stop()
        printed.seek(0)
        complaints.seek(0)
        if code:
            said = complaints.read()[-2_000:].decode(errors="replace")
            raise RuntimeError(f"{' '.join(command)} ended with {code}: {said}")
        return Measurement(seconds, meter.peak_mb, printed.read().decode(errors="replace"))


class MemoryMeter(threading.Thread):
    """Watches the memory of a process with all its descendants until it is stopped or they are gone."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak_mb = 0.0
        self._stopped = threading.Event()

    def run(self) -> None:
        """Sample."""
        while not self._stopped.wait(SAMPLE_SECONDS):
            self.peak_mb = max(self.peak_mb, sum(map(_proportional_bytes, _tree(self.pid))) / MEBIBYTE)

    def stop(self) -> None:
        """Stop sampling."""
        self._stopped.set()
        self.join()


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        try:
            found.extend(child for child in children_of(parent) if not _share_memory(parent, child))
        except OSError:  # it ended meanwhile
            continue
    return found


def _share_memory(parent: int, child: int) -> bool:
    """Whether the two have one memory: while it starts a program, a child uses its parent's (vfork(2))."""
    number = KCMP.get(platform.machine())
    return number is not None and ctypes.CDLL(None).syscall(number, parent, child, KCMP_VM, 0, 0) == 0


def _proportional_bytes(pid: int) -> int:
    """Return a process's share of memory: pages that several hold are divided among them (proc(5), Pss)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
