"""What an error that a job meets means: whether it may pass, what to tell people, which ones are alike."""

import errno
import hashlib
import re
import traceback as tracebacks
from collections.abc import Mapping, Sequence
from typing import Any

from redis import RedisError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webapp.errors import Invalid
from webapp.resources.base import N_
from webapp.resources.types import Phrase, Problem
from webapp.services import traces

PASSING_FAULTS = (OSError, OperationalError, InterfaceError, PoolTimeout, RedisError, MemoryError)
# PostgreSQL: a deadlock was broken, two transactions could not be put in an order. It says so before
# anything was committed, and has undone all of the transaction.
ROLLED_BACK_STATES = frozenset({"40P01", "40001"})


def is_passing(error: BaseException) -> bool:
    """Whether the same may succeed a minute later: the database, the disk, the memory, the broker."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True  # PostgreSQL counts a connection that it has closed among its internal errors
    return isinstance(error, PASSING_FAULTS)


def is_rolled_back(error: DBAPIError) -> bool:
    """Whether the database itself says that it undid the whole transaction, and would take it again.

    A connection that broke says no such thing: its transaction may have been committed.
    """
    return getattr(error.orig, "sqlstate", None) in ROLLED_BACK_STATES


def explain(error: BaseException) -> list[Phrase]:
    """Say what an error means to the person who asked for the job, and what to do."""
    if isinstance(error, Invalid):
        return [phrase for problem in error.problems.values() for phrase in explain(problem)]
    if isinstance(error, Problem):
        return [Phrase(text, error.params) for text in (error.message, error.advice) if text]
    return [_explain_unexpected(error)]


def _explain_unexpected(error: BaseException) -> Phrase:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Phrase(N_("The disk is full. Free some space on the server and try again."))
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return Phrase(
            N_(
                "The server may not write a file as large as this one. Ask an administrator to raise its limit of files."
            )
        )
    if isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EROFS, errno.EPERM}:
        return Phrase(
            N_(
                "The server may not write to its storage folder. Ask an administrator to check its permissions."
            )
        )
    if isinstance(error, SQLAlchemyError) and is_passing(error):
        return Phrase(N_("The database could not be reached or was too busy. Try again in a minute."))
    if isinstance(error, MemoryError):
        return Phrase(N_("The server ran out of memory. Try again with fewer rows, or later."))
    return Phrase(
        N_("The job stopped at an unexpected error (%(error)s). An administrator can see the details."),
        {"error": type(error).__name__},
    )


def tell(phrases: Sequence[Phrase]) -> dict[str, Any]:
    """Return the columns that say why a job failed: in English, and as what can be translated."""
    return {
        "error_message": traces.storable(" ".join(map(str, phrases))),
        "error_phrases": [
            {"message": keep(phrase.message), "params": _keep_all(phrase.params)} for phrase in phrases
        ],
    }


def _keep_all(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a sentence as a row keeps them."""
    return {name: keep(value) for name, value in params.items()}


def keep(value: Any) -> Any:
    """Return a value, such as the reason within a sentence, as a row keeps it."""
    if isinstance(value, Problem):  # the reason within a sentence
        return {"message": value.message, "advice": value.advice, "params": _keep_all(value.params)}
    return value if isinstance(value, int | float) else traces.storable(str(value))


def restore(kept: Mapping[str, Any]) -> Problem:
    """Return a Problem as it was before ``keep``."""
    return Problem(kept["message"], kept["advice"], **kept["params"])


def fingerprint(error: BaseException) -> str:
    """Equal for equal failures: the exception's type and our own frames, without numbers."""
    frames = tracebacks.extract_tb(error.__traceback__)
    own = [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.name}"
        for frame in frames
        if "site-packages" not in frame.filename
    ]
    text = type(error).__name__ + "|" + "|".join(re.sub(r"\d+", "#", frame) for frame in own)
    return hashlib.sha256(text.encode()).hexdigest()
