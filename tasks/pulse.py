"""Whether a child of the consumer still runs: a counter in shared memory that only a running process moves.

The database cannot be asked about it: what a frozen child holds there may be what stops everybody else.
"""

import mmap
import struct
import threading
import time

BEAT_SECONDS = 0.5
# What one look counts for at most. A parent that was itself frozen, or a machine that slept, has not
# watched anybody meanwhile: such a gap says nothing about the children.
LONGEST_LOOK_SECONDS = 1.0
_COUNTER = struct.Struct("Q")


class Pulse:
    """Beaten by a thread of the child, watched by its parent. Made before the fork."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _COUNTER.size)
        self._seen = 0
        self._silence = 0.0
        self._looked_at: float | None = None

    def start(self) -> None:
        """Beat from now on; called in the child."""
        threading.Thread(target=self._beat, name="pulse", daemon=True).start()

    def _beat(self) -> None:
        pause = threading.Event()
        while True:
            self._beat_once()
            pause.wait(BEAT_SECONDS)

    def _beat_once(self) -> None:
        _COUNTER.pack_into(self._memory, 0, self._read() + 1)

    def _read(self) -> int:
        count: int = _COUNTER.unpack_from(self._memory)[0]
        return count

    def measure_silence(self, now: float | None = None) -> float:
        """Return for how many seconds of watching there was no beat; called in the parent, again and again.

        A child that has not begun to beat is not silent: it is being started.
        """
        now = time.monotonic() if now is None else now
        passed = 0.0 if self._looked_at is None else min(now - self._looked_at, LONGEST_LOOK_SECONDS)
        self._looked_at = now
        count = self._read()
        if count in (0, self._seen):
            self._silence += passed if count else 0.0
        else:
            self._seen, self._silence = count, 0.0
        return self._silence
