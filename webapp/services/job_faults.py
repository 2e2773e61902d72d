"""What an error that a job meets means: whether it may pass, what to tell people, which ones are alike."""

import errno
import hashlib
import re
import traceback as tracebacks

from redis import RedisError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

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


def explain(error: BaseException) -> str:
    """Say in a sentence what an unexpected error means to the person who asked for the job."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "The disk is full. Free some space on the server and try again."
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return "The server may not write a file as large as this one. Ask an administrator to raise its limit of files."
    if isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EROFS, errno.EPERM}:
        return (
            "The server may not write to its storage folder. Ask an administrator to check its permissions."
        )
    if isinstance(error, SQLAlchemyError) and is_passing(error):
        return "The database could not be reached or was too busy. Try again in a minute."
    if isinstance(error, MemoryError):
        return "The server ran out of memory. Try again with fewer rows, or later."
    return f"The job stopped at an unexpected error ({type(error).__name__}). An administrator can see the details."


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
