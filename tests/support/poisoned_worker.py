"""What a consumer loads in place of ``tasks.worker`` to die at one line of any import, each time it gets there."""

import os
import signal
from typing import Any

from tasks.worker import app, huey
from webapp.services.signals import record_saved

__all__ = ["app", "huey"]


@record_saved.connect
def die(_resource: str, line: int | None = None, **_: Any) -> None:
    """End this process as the kernel does when memory runs out: without a word."""
    if line == int(os.environ["POISONED_LINE"]):
        os.kill(os.getpid(), signal.SIGKILL)
