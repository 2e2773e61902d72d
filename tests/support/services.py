"""PostgreSQL and Redis for the tests: started by the test run itself, in a temporary folder, and ended with it."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
import redis

from tests.support.processes import die_with_parent, end_process, free_port, wait_until

TRIES = 3
WIPES_BETWEEN_VACUUMS = 50


def unavailable(reason: str) -> NoReturn:
    """Skip a test whose service this machine does not have; on CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (CI=true: nothing may be skipped)", pytrace=False)
    pytest.skip(reason)


class PostgresServer:
    """A running PostgreSQL, and the address of its one database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._wipes = 0

    def url(self) -> str:
        """Return the address, as ``DATABASE_URL`` wants it."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def command(self, statement: str) -> None:
        """Run one statement in a transaction of its own."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def keep(self, table: str) -> None:
        """Remember what is in a table."""
        self.command(f'CREATE TABLE "{table}_kept" AS TABLE "{table}"')

    def wipe(self, tables: Sequence[str], keep: str) -> None:
        """Empty the tables in this order, but for one that gets back what was remembered.

        Far cheaper than a copy of the database for each test. No connection that a test left behind
        may hold a lock.
        """
        others = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        self.command(f"SELECT pg_terminate_backend(pid) FROM ({others}) AS other")  # noqa: S608 - our own words
        # As a replica it fires no trigger: the audit refuses to lose anything.
        statements = ["SET session_replication_role = replica"]
        statements += [f'DELETE FROM "{table}"' for table in tables]  # noqa: S608 - our own tables
        statements.append(f'INSERT INTO "{keep}" SELECT * FROM "{keep}_kept"')  # noqa: S608 - the same
        self.command("; ".join(statements))
        self._wipes += 1
        if self._wipes % WIPES_BETWEEN_VACUUMS == 0:  # or each table is read with all that ever was in it
            self.command("VACUUM")

    def is_ready(self) -> bool:
        """Whether it takes connections."""
        try:
            psycopg.connect(self.url(), connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def run_postgres() -> Iterator[PostgresServer]:
    """Start a PostgreSQL of our own; as root through the user that its package made."""
    programs = find_postgres()
    if programs is None:
        unavailable("PostgreSQL is not installed (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="stockroom-pg-", dir="/tmp"))
    log = (folder.parent / f"{folder.name}.log").open("wb")
    as_user: dict[str, object] = {"cwd": folder, "stdout": log, "stderr": log}
    prefix: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    initdb = [*prefix, str(programs / "initdb"), "--no-sync", "-A", "trust", "-U", "postgres"]
    try:
        subprocess.run(
            [*initdb, "--locale=C", "-E", "UTF8", "-D", str(folder / "data")], check=True, **as_user
        )  # type: ignore[call-overload]
        command = die_with_parent([*prefix, str(programs / "postgres"), *_postgres_options(folder)], "INT")
        server = subprocess.Popen(command, start_new_session=True, **as_user)  # type: ignore[call-overload]
        try:
            made = PostgresServer(folder)
            wait_until(made.is_ready, lambda: f"PostgreSQL did not start; see {log.name}")
            yield made
        finally:
            end_process(server, signal.SIGINT)
    finally:
        log.close()
        shutil.rmtree(folder, ignore_errors=True)
    Path(log.name).unlink()


def find_postgres() -> Path | None:
    """Return the folder of the server's programs, which Debian keeps off the path."""
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def _postgres_options(folder: Path) -> Sequence[str]:
    switched_off = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
    values = ["listen_addresses=", "max_connections=200", *(f"{name}=off" for name in switched_off)]
    return [
        "-D",
        str(folder / "data"),
        "-k",
        str(folder),
        *(part for value in values for part in ("-c", value)),
    ]


@contextmanager
def run_redis() -> Iterator[str]:
    """Start a Redis of our own and give its address."""
    program = shutil.which("redis-server")
    if program is None:
        unavailable("Redis is not installed (apt-get install redis-server)")
    with tempfile.TemporaryDirectory() as folder:
        server, url = next(
            filter(None, (_try_redis(program, folder) for _ in range(TRIES))), None
        ) or unavailable("Redis does not start")
        try:
            yield url
        finally:
            end_process(server, signal.SIGTERM)


def _try_redis(program: str, folder: str) -> "tuple[subprocess.Popen[bytes], str] | None":
    """Start it on a port that is free now; None when somebody was quicker."""
    port = free_port()
    options = [
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        folder,
    ]
    command = die_with_parent([program, *options], "TERM")
    server = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    wait_until(lambda: _answers(server, url), lambda: "Redis is silent")
    return (server, url) if server.poll() is None else None


def _answers(server: subprocess.Popen[bytes], url: str) -> bool:
    """Whether it is up; also true when it has ended, because the port was taken meanwhile."""
    if server.poll() is not None:
        return True
    with suppress(redis.ConnectionError), redis.Redis.from_url(url) as client:
        return bool(client.info("server")["process_id"] == server.pid)
    return False


def wipe_redis(url: str) -> None:
    """Empty a Redis of ours."""
    with redis.Redis.from_url(url) as client:
        client.flushall()
