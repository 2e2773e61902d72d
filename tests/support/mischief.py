"""What a random soak does to its house: every deed is one that the protocol must survive."""

import os
import random
import signal
import time
from contextlib import suppress

from redis import RedisError

from tasks.queue import TASKS, huey
from tests.support.broker import Broker
from tests.support.jobs import look_at
from tests.support.processes import children_of
from tests.support.trials import Trial, thaw
from webapp.errors import Conflict
from webapp.models import User
from webapp.services import job_actions

STOP_PATIENCE = 40
LONGEST_FREEZE = 4


class Mischief:
    """Picks deeds by a dice, so that a seed does the same ones again."""

    def __init__(self, trial: Trial, dice: random.Random, admin: User, broker: Broker | None) -> None:
        self._trial = trial
        self._dice = dice
        self._admin = admin
        self._broker = broker
        self.done: list[str] = []

    def do(self, job_ids: list[int]) -> None:
        """Do one deed to the newest consumer, to a job or to the queue."""
        deeds = [
            self.kill_child,
            self.kill_consumer,
            self.stop_consumer,
            self.double_messages,
            self.lose_messages,
            self.take_away,
        ]
        if (
            self._broker is not None
        ):  # so it is PostgreSQL: on SQLite a frozen process holds the one lock of all
            deeds += [self.freeze_child, self.freeze_broker, self.restart_broker]
        deed = self._dice.choice(deeds)
        self.done.append(deed.__name__)
        with suppress(ProcessLookupError, FileNotFoundError, RedisError):  # what was to be hit has just gone
            deed(self._dice.choice(job_ids))

    def kill_child(self, _job_id: int) -> None:
        """As the kernel does when memory runs out."""
        for child in self._pick_child():
            os.kill(child, signal.SIGKILL)

    def kill_consumer(self, _job_id: int) -> None:
        """The parent alone; its children must go by themselves."""
        parent = self._trial.workers[-1].process
        parent.kill()
        parent.wait()

    def stop_consumer(self, _job_id: int) -> None:
        """As a deployment does."""
        parent = self._trial.workers[-1].process
        parent.terminate()
        parent.wait(STOP_PATIENCE)

    def freeze_child(self, _job_id: int) -> None:
        """For less than its lease, or for more."""
        for child in self._pick_child():
            os.kill(child, signal.SIGSTOP)
            time.sleep(self._dice.uniform(0.5, LONGEST_FREEZE))
            thaw(child)

    def double_messages(self, job_id: int) -> None:
        """Ring thrice for a job, whatever its state."""
        job = look_at(job_id)
        message = TASKS[job.task_type].s(job_id)
        message.id = job.task_id
        for _ in range(3):
            huey.storage.enqueue(huey.serialize_task(message))

    def lose_messages(self, _job_id: int) -> None:
        """Empty the queue."""
        huey.storage.flush_queue()

    def take_away(self, job_id: int) -> None:
        """Give a running job to somebody else while its worker is alive and well."""
        with suppress(Conflict):
            job_actions.force_release(self._admin, look_at(job_id).task_id)

    def freeze_broker(self, _job_id: int) -> None:
        """It takes connections and does not answer."""
        assert self._broker is not None
        self._broker.freeze()
        time.sleep(self._dice.uniform(0.5, LONGEST_FREEZE))
        self._broker.thaw()

    def restart_broker(self, _job_id: int) -> None:
        """It is away for a moment and comes back empty."""
        assert self._broker is not None
        self._broker.stop()
        time.sleep(self._dice.uniform(0, 1))
        self._broker.start()

    def _pick_child(self) -> list[int]:
        children = children_of(self._trial.workers[-1].pid)
        return [self._dice.choice(children)] if children else []
