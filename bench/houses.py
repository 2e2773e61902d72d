"""A house for a bench: an empty or demo-filled shop on SQLite or PostgreSQL, in a folder that goes with it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.houses import base_environment
from tests.support.services import run_postgres

DATABASES = ("sqlite", "postgresql")
FLASK = (sys.executable, "-m", "flask", "--app", "webapp")


@contextmanager
def open_house(database: str, products: int = 0, movements: int = 0) -> Iterator[dict[str, str]]:
    """Give the environment of a migrated house; with ``products`` it is filled by ``demo load``."""
    with tempfile.TemporaryDirectory(prefix="stockroom-bench-") as folder:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        environment = os.environ | {"PATH": path} | base_environment(Path(folder) / "var")
        if database == "sqlite":
            yield _furnish(environment, products, movements)
            return
        with run_postgres() as server:
            yield _furnish(environment | {"DATABASE_URL": server.url()}, products, movements)


def _furnish(environment: dict[str, str], products: int, movements: int) -> dict[str, str]:
    run_flask(environment, ["db", "upgrade"])
    run_flask(environment, ["users", "create", "--email", "admin@shop.example", "--role", "admin"])
    if products:
        run_flask(environment, ["demo", "load", "--products", str(products), "--movements", str(movements)])
    return environment


def run_flask(environment: dict[str, str], arguments: Sequence[str]) -> str:
    """Run one of our commands to its end and return what it printed."""
    done = subprocess.run(  # noqa: S603 - the bench's own commands
        [*FLASK, *arguments], env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout
