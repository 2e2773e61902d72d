"""The project's exceptions. Routes and the API turn them into answers; see ``webapp.app``."""

from webapp.resources.types import Problem

__all__ = ["Conflict", "Forbidden", "Invalid", "NotFound", "Outdated", "Problem"]


class NotFound(Exception):
    """There is no such thing, or it belongs to somebody else: the answer is the same."""


class Forbidden(Exception):
    """The actor's role does not allow this."""


class Invalid(Exception):
    """What was sent cannot be taken. ``problems`` maps a field's name ("" for the whole) to its Problem."""

    def __init__(self, problems: dict[str, Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems.values()))
        self.problems = problems


class Conflict(Exception):
    """The thing is in a state in which this cannot be done. The message is a sentence for people."""


class Outdated(Conflict):
    """Somebody else has changed the thing since the actor looked at it."""
