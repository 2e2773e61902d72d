"""A Redis of one test's own, which can be stopped, started again and frozen."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import redis

from tests.support.processes import die_with_parent, end_process, free_port, wait_until
from tests.support.services import unavailable


class Broker:
    """It keeps its address over its restarts, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._program = shutil.which("redis-server")
        if self._program is None:
            unavailable("Redis is not installed (apt-get install redis-server)")
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command = die_with_parent([str(self._program), *options, "--dir", str(self._folder)], "TERM")
        self._process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
        wait_until(self._answers, lambda: "Redis did not start")

    def stop(self) -> None:
        """End it, with all that it held."""
        if self._process is not None:
            self.thaw()
            end_process(self._process, signal.SIGTERM)
        self._process = None

    def freeze(self) -> None:
        """Let it accept connections and never answer."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        self._signal(signal.SIGCONT)

    def refuse_writes(self) -> None:
        """Let it behave as with full memory: it takes nothing, and hands out what it has."""
        with redis.Redis.from_url(self.url) as client:
            client.config_set("maxmemory", 1)

    def _signal(self, kind: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, kind)

    def _answers(self) -> bool:
        with suppress(redis.ConnectionError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False
