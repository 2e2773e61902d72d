"""Filling a large shop quickly: the indexes that only help readers are put aside meanwhile and built at the end.

``python -m bench.filling --products 1000000 --movements 5000000`` fills the migrated, empty shop that the settings
name; nobody else may use it meanwhile.
"""

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Engine, text

from tests.support.houses import build_house, close_house
from webapp.extensions import db
from webapp.services import demo
from webapp.services.demo_write import gather_statistics
from webapp.services.product_moves import note_moves

# Those of keys and of constraints stay: whoever writes needs them.
INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT LIKE 'CREATE UNIQUE%'",
    "postgresql": "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
    " JOIN pg_stat_user_tables ON relid = indrelid WHERE NOT indisunique",
}


def main() -> None:
    """Fill the shop and say how long it took."""
    parser = argparse.ArgumentParser(prog="python -m bench.filling", description=__doc__)
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--movements", type=int, default=5_000_000)
    options = parser.parse_args()
    started = time.monotonic()
    fill(os.environ, options.products, options.movements)
    print(f"{time.monotonic() - started:,.0f} s")


def fill(environment: Mapping[str, str], products: int, movements: int) -> None:
    """Load the demo shop into a house."""
    app = build_house(environment)
    with app.app_context():
        with indexes_put_aside(db.engine):
            demo.write_demo(products, movements, seed=1)
        note_moves()  # through an index, which was aside until now
        gather_statistics()
        if db.engine.dialect.name == "postgresql":  # as its autovacuum does within a minute of such a load
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM"))
    close_house(app)


@contextmanager
def indexes_put_aside(engine: Engine) -> Iterator[None]:
    """Run the block without the indexes that only help readers."""
    with engine.begin() as connection:
        found = connection.execute(text(INDEXES[engine.dialect.name])).all()
        for name, _ in found:
            connection.execute(text(f"DROP INDEX {name}"))
    yield
    with engine.begin() as connection:
        for _, statement in found:
            connection.execute(text(statement))


if __name__ == "__main__":
    main()
