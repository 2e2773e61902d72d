"""Rings for jobs on a thread of its own: whoever creates a job, or saves a batch, waits for no broker."""

import queue
import threading
import time
from collections.abc import Callable

PATIENCE_SECONDS = 0.05  # a healthy queue takes a message in a millisecond; nobody waits for another one
WAITING_RINGS = 1_000  # rings beyond that are left to the relay

Ring = Callable[[], None]


class Bell:
    """Carries out rings in order, in one thread of each process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Start anew in a forked child: threads do not survive a fork."""
        self._lock = threading.Lock()
        self._rings: queue.Queue[tuple[Ring, threading.Event]] = queue.Queue(WAITING_RINGS)
        self._thread: threading.Thread | None = None
        self._is_slow = False

    def ring(self, ring: Ring) -> None:
        """Ask for one ring, and wait for it as long as the queue has been quick so far."""
        done = threading.Event()
        self._start()
        try:
            self._rings.put_nowait((ring, done))
        except queue.Full:
            return
        if not self._is_slow and not done.wait(PATIENCE_SECONDS):
            self._is_slow = True

    def wait(self, seconds: float) -> bool:
        """Wait until everything that was asked for is done; return whether it is."""
        deadline = time.monotonic() + seconds
        while self._rings.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.001)
        return not self._rings.unfinished_tasks

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            ring, done = self._rings.get()
            begun = time.monotonic()
            try:
                ring()
            finally:
                self._is_slow = time.monotonic() - begun > PATIENCE_SECONDS
                done.set()
                self._rings.task_done()
