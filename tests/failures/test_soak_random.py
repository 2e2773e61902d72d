"""Everything at once, at random: workers are killed and frozen, messages doubled and lost, and all is exact."""

import os
import random
import signal
import time
from contextlib import suppress

import pytest

from tasks.queue import TASKS, huey
from tests.support.jobs import look_at
from tests.support.processes import children_of
from tests.support.trials import ENDED, PATIENCE, Trial, thaw

pytestmark = [pytest.mark.soak, pytest.mark.integration, pytest.mark.slow]

ROWS = 3000
MISCHIEF_SECONDS = 60


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_34_a_random_soak_is_exact(trial: Trial, database: str) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 - to run the same mischief again
    dice = random.Random(seed)  # noqa: S311
    job_id = trial.ask_import(ROWS)
    until = time.monotonic() + MISCHIEF_SECONDS
    while time.monotonic() < until and look_at(job_id).status not in ENDED:
        if not trial.workers or trial.workers[-1].process.poll() is not None:
            trial.start_worker(BATCH_SECONDS="30", MAX_CRASHES="1000")
        time.sleep(dice.uniform(0.5, 3))
        _do_mischief(trial, job_id, dice, database)
    trial.start_worker(MAX_CRASHES="1000")
    trial.settle(job_id, 2 * PATIENCE)
    assert trial.judge(job_id, ROWS) == []


def _do_mischief(trial: Trial, job_id: int, dice: random.Random, database: str) -> None:
    parent = trial.workers[-1].process
    kind = dice.choice(["child", "parent", "double", "lose", "freeze"])
    with suppress(ProcessLookupError, FileNotFoundError, IndexError):
        if kind == "child":
            os.kill(dice.choice(children_of(parent.pid)), signal.SIGKILL)
        elif kind == "parent":
            parent.kill()
            parent.wait()
        elif kind == "lose":
            huey.storage.flush_queue()
        elif kind == "double":
            task_id = look_at(job_id).task_id
            for _ in range(3):
                huey.storage.enqueue(_message(job_id, task_id))
        elif database == "postgresql":  # on SQLite a frozen process may hold the one lock of all
            victim = dice.choice(children_of(parent.pid))
            os.kill(victim, signal.SIGSTOP)
            time.sleep(dice.uniform(0.5, 4))
            thaw(victim)


def _message(job_id: int, task_id: str) -> bytes:
    message = TASKS["import"].s(job_id)
    message.id = task_id
    return huey.serialize_task(message)
