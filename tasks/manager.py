"""The honcho that started this process: who outlives it would go on with old code, and hold its port."""

import logging
import os
import signal
import threading
import time
from pathlib import Path

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0

Pair = tuple[int, int]


def find_manager() -> Pair | None:
    """Return the ids of honcho's helper, which is our parent, and of honcho, its parent; None under others."""
    helper = os.getppid()
    try:
        return (helper, _parent_of(helper)) if _is_honcho(helper) else None
    except OSError:  # not Linux
        return None


def is_gone(manager: Pair) -> bool:
    """Whether honcho was killed: its helper stays, with another parent. It may have been too late to be found."""
    helper, honcho = manager
    try:
        return os.getppid() != helper or _parent_of(helper) != honcho or not _is_honcho(honcho)
    except OSError:
        return True


def leave_with_manager() -> None:
    """Have this process told to end, as its manager would tell it, when the manager is gone."""
    manager = find_manager()
    if manager is not None:
        threading.Thread(target=_follow, args=(manager,), name="manager", daemon=True).start()


def _follow(manager: Pair) -> None:
    while not is_gone(manager):
        time.sleep(LOOK_SECONDS)  # green under eventlet
    log.warning("The process manager is gone; this process stops.")
    os.kill(os.getpid(), signal.SIGTERM)


def _is_honcho(pid: int) -> bool:
    return b"honcho" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _parent_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/stat").read_text()
    return int(status.rpartition(")")[2].split()[1])
