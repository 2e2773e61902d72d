"""An import on SQLite and whoever else wants to write: between two batches everybody has a turn."""

import sqlite3
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from tests.support.imports import bring_in
from webapp.database import BUSY_PAUSE_SECONDS
from webapp.extensions import db
from webapp.models import User
from webapp.services import import_batches
from webapp.services.signals import rows_saved

ROWS = 3_000


class Writer(threading.Thread):
    """Asks for the write lock as every connection of the house does, and counts how often it gets it."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.path = path
        self.turns = 0
        self.done = threading.Event()

    def run(self) -> None:
        """Ask until the import is over."""
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=0)
        while not self.done.is_set():
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                time.sleep(BUSY_PAUSE_SECONDS)
                continue
            connection.execute("ROLLBACK")
            self.turns += 1
            time.sleep(2 * BUSY_PAUSE_SECONDS)
        connection.close()


def test_who_waits_for_the_write_lock_gets_it_between_two_batches(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_batches, "LARGEST_BATCH_ROWS", import_batches.FIRST_BATCH_ROWS)
    writer = Writer(Path(str(db.engine.url.database)))
    turns: list[int] = []

    def note(_sender: str, **_: object) -> None:
        turns.append(writer.turns)

    with rows_saved.connected_to(note):
        writer.start()
        bring_in(editor, "brands", "name\n" + "".join(f"Brand {number}\n" for number in range(ROWS)))
        writer.done.set()
        writer.join()
    missed = sum(later == earlier for earlier, later in pairwise(turns))
    assert len(turns) >= ROWS / import_batches.FIRST_BATCH_ROWS
    assert missed <= len(turns) / 3
