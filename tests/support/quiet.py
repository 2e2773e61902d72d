"""One lock around every write transaction of a process, so that it is never frozen together with a lock of SQLite.

It is put there before anybody has imported the function by its name.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from webapp import database

QUIET = threading.RLock()
_real = database.write_transaction


@contextmanager
def _write_quietly() -> Iterator[Session]:
    with QUIET, _real() as session:
        yield session


database.write_transaction = _write_quietly
