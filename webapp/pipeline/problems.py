"""What the reader tells people: trouble that stops a file, and notices that do not."""

from typing import Any, TypedDict

from webapp.resources.types import Problem


class ReadProblem(Problem):
    """The file as a whole cannot be read; trying again would not help.

    ``line`` is the physical line (1-based) where the trouble was met, None where no line is to blame.
    """

    def __init__(self, message: str, advice: str = "", *, line: int | None = None, **params: Any) -> None:
        super().__init__(message, advice, **({} if line is None else {"line": line}), **params)
        self.line = line


class Notice(TypedDict):
    """Something that the reader decided or saw. ``message`` is translatable, ``params`` fills it in."""

    message: str
    params: dict[str, Any]


def make_notice(message: str, **params: Any) -> Notice:
    """Return a notice; its params must be values that JSON can hold."""
    return {"message": message, "params": params}
