"""The honcho that started this process, so that a worker does not outlive it and go on with old code."""

import os
from pathlib import Path

Pair = tuple[int, int]


def find_manager() -> Pair | None:
    """Return the ids of honcho's helper, which is our parent, and of honcho, its parent; None under others."""
    helper = os.getppid()
    try:
        if b"honcho" in Path(f"/proc/{helper}/cmdline").read_bytes():
            return helper, _parent_of(helper)
    except OSError:  # not Linux
        pass
    return None


def is_gone(manager: Pair) -> bool:
    """Whether honcho was killed: its helper stays, with another parent."""
    helper, honcho = manager
    try:
        return os.getppid() != helper or _parent_of(helper) != honcho
    except OSError:
        return True


def _parent_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/stat").read_text()
    return int(status.rpartition(")")[2].split()[1])
