"""Why a job failed, kept so that everybody can read it in their own language."""

from collections.abc import Sequence
from typing import Any

from webapp.errors import Invalid
from webapp.models import TaskNotification
from webapp.resources.types import Problem
from webapp.services.traces import storable


def list_problems(error: Problem | Invalid) -> list[Problem]:
    """Return what is wrong, one after the other."""
    return list(error.problems.values()) if isinstance(error, Invalid) else [error]


def write_message(problems: Sequence[Problem]) -> str:
    """Return the sentences in English, as logs, scripts and searches have them."""
    return "; ".join(map(str, problems))


def to_json(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Return the problems as they are stored."""
    return [
        {
            "message": storable(one.message),
            "advice": storable(one.advice),
            "params": {name: _storable(value) for name, value in one.params.items()},
        }
        for one in problems
    ]


def _storable(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float) else storable(str(value))


def read_problems(job: TaskNotification) -> list[Problem]:
    """Return what the job's message says, as far as it was stored so; nothing when it says something else by now."""
    stored = job.error_problems or []
    problems = [Problem(item["message"], item["advice"], **item["params"]) for item in stored]
    return problems if write_message(problems) == job.error_message else []
