"""How long another writer waits on SQLite while many records are changed: by hand, in one transaction, by a job.

``python -m bench.locks --products 1000000 --movements 5000000``. On PostgreSQL only who changes the same records waits.
"""

import argparse
import os
import select as selecting
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select, update

from bench.filling import fill
from bench.houses import open_house
from bench.report import Figure, at_most, show
from tests.support.houses import build_house, close_house
from webapp.database import BUSY_PAUSE_SECONDS, write_transaction
from webapp.extensions import db
from webapp.models import Category, Outflow, Product, TaskNotification, User
from webapp.resources.registry import get_resource
from webapp.services import bulk_jobs, job_protocol
from webapp.services.bulk_selection import Selection
from webapp.services.record_reassign import MOST_MOVEMENTS, reassign_uses
from webapp.services.record_replacement import Replacement

TARGET_MS = 250
Deed = Callable[[], int]
REASSIGNED = 3_000


def main() -> int:
    """Fill a shop, change it in each way with another writer beside it, and say how long that one waited."""
    parser = argparse.ArgumentParser(prog="python -m bench.locks", description=__doc__)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--movements", type=int, default=500_000)
    parser.add_argument("--here", action="store_true", help="change the shop that the settings name")
    parser.add_argument("--wait-for", help="the database of whoever asks for the lock again and again")
    options = parser.parse_args()
    if options.wait_for:
        return wait_for_lock(options.wait_for)
    if options.here:
        return 0 if show("Locks", measure(os.environ)) else 1
    with open_house("sqlite") as environment:
        fill(environment, options.products, options.movements)
        return 0 if show("Locks", measure(environment)) else 1


def measure(environment: Mapping[str, str]) -> Iterator[Figure]:
    """Yield how long the other writer waited at most during each deed, and how long that took."""
    app = build_house(environment)
    path = Path(environment["DATA_DIR"]) / "stockroom.db"
    with app.app_context():
        admin = db.session.scalars(select(User)).one()
        for name, deed in (
            (f"{REASSIGNED} products get another category", _reassign_category),
            ("a product's movements get another product", _reassign_product),
            ("one field of a category's products, by a job", _edit_many),
        ):
            act = deed(admin)
            with _other_writer(path) as waited:
                started = time.monotonic()
                count = act()
                seconds = time.monotonic() - started
            yield at_most(f"{name}, longest wait", max(waited), TARGET_MS, "ms")
            yield Figure(f"{name}, rows", count, "")
            yield Figure(f"{name}, rows a second", count / seconds, "rows/s")
    close_house(app)


def _reassign_category(admin: User) -> Deed:
    name = f"New {time.time()}"
    with write_transaction() as session:
        session.add(Category(name=name, name_key=name, search_text=name))
        session.flush()
        new_id = session.scalars(select(Category.id).where(Category.name == name)).one()
        some = select(Product.id).order_by(Product.id.desc()).limit(REASSIGNED)
        session.execute(update(Product).where(Product.id.in_(some)).values(category_id=new_id))
    old = db.session.scalars(select(Category.name).where(Category.id == 1)).one()
    return lambda: reassign_uses(admin, get_resource("categories"), new_id, Replacement(old))


def _reassign_product(admin: User) -> Deed:
    """Find the one with the most movements that may go at once, and give them to a new one."""
    count = func.count()
    query = select(Outflow.product_id).group_by(Outflow.product_id).having(count < MOST_MOVEMENTS - 10)
    busy = db.session.scalar(query.order_by(count.desc()).limit(1)) or 0
    name = f"new-{time.time()}"
    with write_transaction() as session:
        session.add(
            Product(
                serial_number=name,
                serial_number_key=name,
                title=name,
                category_id=1,
                cost_price=1,
                sell_price=1,
                search_text=name,
            )
        )
    return lambda: reassign_uses(admin, get_resource("products"), busy, Replacement(name))


def _edit_many(admin: User) -> Deed:
    category = db.session.scalars(select(Category.name).where(Category.id == 1)).one()
    chosen = Selection(get_resource("products"), filters={"category": category}, is_everything=True)
    level = (db.session.scalar(select(func.max(Product.reorder_level))) or 0) + 1
    job_id = bulk_jobs.request_edit(admin, chosen, "reorder_level", str(level)).id

    def act() -> int:
        job_protocol.execute(job_id, bulk_jobs.run_bulk, lambda: False)
        return db.session.get_one(TaskNotification, job_id, populate_existing=True).processed

    return act


@contextmanager
def _other_writer(path: Path) -> Iterator[list[float]]:
    """Give the milliseconds for which another process waited for the lock, once the block is over."""
    waited: list[float] = []
    command = [sys.executable, "-m", "bench.locks", "--wait-for", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603
        assert other.stdout is not None  # noqa: S101 - a pipe
        other.stdout.readline()
        yield waited
        said, _ = other.communicate("stop\n")
        waited.extend(map(float, said.split()))


def wait_for_lock(path: str) -> int:
    """Take the lock as the house does and let it go again, until there is something to read; print each wait."""
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    print("ready", flush=True)
    waits = []
    while not selecting.select([sys.stdin], [], [], BUSY_PAUSE_SECONDS)[0]:
        started = time.perf_counter()
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.OperationalError:
                time.sleep(BUSY_PAUSE_SECONDS)
        waits.append(1000 * (time.perf_counter() - started))
        connection.execute("ROLLBACK")
    print(*(f"{wait:.1f}" for wait in waits or [0.0]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
