"""Huey's consumer, which leaves with its manager and replaces children that are frozen."""

import logging
import os
import signal
from contextlib import suppress
from typing import Any

from huey.consumer import Consumer

from tasks.manager import find_manager, is_gone
from tasks.pulse import Pulse

log = logging.getLogger(__name__)


class JobConsumer(Consumer):
    """The parent of the workers. The jobs can see its stop flag: they leave at a batch boundary."""

    def __init__(self, huey: Any, **options: Any) -> None:
        super().__init__(huey, **options)
        huey.stop_flag = self.stop_flag
        huey.is_scheduled_here = self.periodic
        self._manager = find_manager()

    def _create_process(self, process: Any, name: str) -> Any:
        """Give each worker, and the scheduler, a pulse that this process can feel."""
        pulse, begin = Pulse(), process.initialize

        def initialize() -> None:
            pulse.start()
            begin()

        process.initialize = initialize
        made = super()._create_process(process, name)
        made.pulse = pulse
        return made

    def loop(self, health_check_ts: float | None = None) -> Any:
        """Look after the workers; leave when the honcho that started this consumer is gone."""
        if self._manager is not None and is_gone(self._manager):
            log.warning("The process manager is gone; this consumer stops.")
            self.stop(graceful=True)
        self._kill_frozen()
        return super().loop(health_check_ts)

    def _kill_frozen(self) -> None:
        """End children without a pulse, so that what they hold is let go; the health check replaces them.

        A child that is frozen inside a write transaction of SQLite keeps the whole house from writing.
        """
        if not self.environment.forks:
            return
        for child in [*(child for _, child in self.worker_threads), self.scheduler]:
            silence = child.pulse.measure_silence()
            if silence >= self.huey.frozen_seconds and child.is_alive():
                log.warning(
                    "%s (pid %s) has not run for %.0f s; it is killed and replaced.",
                    child.name,
                    child.pid,
                    silence,
                )
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)
