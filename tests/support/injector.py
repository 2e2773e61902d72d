"""The points at which a worker of the tests lets its faults happen."""

from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

from tests.support.faults import Plan

NO_LINES = range(0)


class Injector:
    """Knows the plan, and how often each try came by each point."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.quiet: AbstractContextManager[Any] = nullcontext()
        self._passed: Counter[tuple[str, int, int]] = Counter()

    def hit(self, point: str, run: Any, lines: range = NO_LINES) -> None:
        """Come by a point: what is planned for it happens now."""
        self._passed[point, run.id, run.token] += 1
        number = self._passed[point, run.id, run.token]
        for fault in self.plan.faults:
            if (fault.point, fault.task_type) != (point, run.task_type):
                continue
            if fault.is_met(number, lines) and fault.take(self.plan.folder):
                fault.act(self.plan.folder, self.quiet)


class Lines:
    """The lines of a file that a batch takes, known once it has moved the checkpoint."""

    def __init__(self, run: Any) -> None:
        self._run = run
        self._before = int(run.checkpoint.get("line", 0))

    def passed(self) -> range:
        """The lines between the two checkpoints."""
        return range(self._before + 1, int(self._run.checkpoint.get("line", 0)) + 1)


@cache
def get_injector() -> Injector:
    """Return the injector of this process."""
    return Injector(Plan.from_environment())
