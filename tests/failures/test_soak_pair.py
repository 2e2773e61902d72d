"""The pair that honcho runs: whichever of its processes is killed, nobody consumes afterwards who should not."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.jobs import look_at
from tests.support.processes import children_of, find_marked, free_port, wait_until
from tests.support.stack import Started
from tests.support.trials import TIMINGS, Trial
from webapp.models import User

pytestmark = [pytest.mark.soak, pytest.mark.integration, pytest.mark.slow]

ROWS = 60
KINDS = ["honcho", "web", "worker", "child", "scheduler"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_of_any_process_of_the_pair_loses_no_job(trial: Trial, editor: User, kind: str) -> None:
    prepared = trial.prepare_import(ROWS)
    pair = _start_pair(trial)
    wait_until(lambda: "started" in pair.output(), lambda: f"the pair is silent\n{pair.output()}")
    wait_until(lambda: len(_find(trial, pair, "child")) == 3, lambda: f"no workers:\n{pair.output()}")
    victim = _find(trial, pair, kind)[-1 if kind == "scheduler" else 0]
    job_id = trial.start_import(prepared)
    os.kill(victim, signal.SIGKILL)
    if kind in ("child", "scheduler"):  # the pair goes on
        trial.settle(job_id)
        pair.process.terminate()
    else:  # it ends, all of it
        wait_until(lambda: not find_marked(trial.stack.mark), lambda: _who(trial), patience=20)
        trial.start_worker()
        trial.settle(job_id)
    assert trial.judge(job_id, ROWS) == []
    assert look_at(job_id).crashes == 0


def _start_pair(trial: Trial) -> Started:
    command = ["honcho", "start", "-e", "/dev/null", "web", "worker"]
    return trial.stack.start("pair", command, PORT=str(free_port()), **TIMINGS)


def _find(trial: Trial, pair: Started, kind: str) -> list[int]:
    """Return the processes of a kind, oldest first."""
    if kind == "honcho":
        return [pair.pid]
    words = {"web": b"wsgi.py", "worker": b"huey_consumer"}
    marked = sorted(find_marked(trial.stack.mark))
    if kind in words:
        return [pid for pid in marked if words[kind] in _command(pid) and not _is_shell(pid)]
    parents = _find(trial, pair, "worker")
    return sorted(child for pid in parents[:1] for child in children_of(pid))


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _is_shell(pid: int) -> bool:
    return _command(pid).split(b"\0")[0].endswith(b"sh")


def _who(trial: Trial) -> str:
    left = [
        f"{pid}: {_command(pid).replace(bytes(1), b' ').decode()}" for pid in find_marked(trial.stack.mark)
    ]
    return "these live on:\n" + "\n".join(left)
