"""What every test can ask for. The work behind it is in ``tests/support``."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config import Settings
from tests.support import houses
from tests.support.forked import Mother
from tests.support.houses import Environment, MakeApp
from tests.support.outcome import FAILED
from tests.support.services import PostgresServer, run_postgres, run_redis, wipe_redis
from tests.support.stack import Stack
from webapp.extensions import Base, db
from webapp.models import User


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let fixtures know, at their end, whether their test failed."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.failed:
        item.stash[FAILED] = True
    return report  # type: ignore[return-value]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a migrated database with the people in it, made once for each process."""
    folder = tmp_path_factory.mktemp("template")
    app = houses.build_house(houses.base_environment(folder))
    houses.furnish(app)
    houses.close_house(app)
    houses.fold_wal(folder / "stockroom.db")
    return folder / "stockroom.db"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test process, with a migrated database that has the people in it."""
    with run_postgres() as server:
        folder = server.folder.with_name(f"{server.folder.name}-house")
        environment = houses.base_environment(folder) | {"DATABASE_URL": server.url()}
        app = houses.build_house(environment)
        houses.furnish(app)
        houses.close_house(app)
        houses.remove_folder(folder)
        server.keep("user")
        yield server


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a Redis of this test process."""
    with run_redis() as url:
        yield url


@pytest.fixture(autouse=True)
def csv_limit() -> None:
    """The reader sets the csv module's limit for its whole process; here others read, too."""
    csv.field_size_limit(131_072)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on: see ``on_both_databases``."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def environment(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Environment]:
    """The variables of a house of the test's own: its folder, and a migrated database."""
    values = houses.base_environment(tmp_path / "var")
    if database == "sqlite":
        houses.copy_sqlite(request.getfixturevalue("sqlite_template"), tmp_path / "var")
        yield values
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url: str = request.getfixturevalue("redis_url")
    wipe_redis(url)
    tables = [table.name for table in reversed(Base.metadata.sorted_tables)]
    server.wipe([*tables, "product_quantity"], keep="user")
    yield values | {"DATABASE_URL": server.url(), "REDIS_URL": url}


@pytest.fixture
def make_app(environment: Environment) -> Iterator[MakeApp]:
    """Build an application of this test's house, with some settings changed: ``make_app(CURRENCY="BRL")``."""
    made: list[Flask] = []

    def make(**variables: str) -> Flask:
        made.append(houses.build_house(environment | variables))
        return made[-1]

    yield make
    for app in made:
        try:
            houses.check_invariants(app)
        finally:
            houses.close_house(app)


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An application of the test's own."""
    return make_app()


@pytest.fixture
def stack(environment: Environment, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The real processes of this test's house; nothing runs until the test starts it."""
    made = Stack(environment, tmp_path)
    if any(map(request.node.get_closest_marker, ("browser", "forked"))):
        made.mothers = request.getfixturevalue("mothers")
    yield made
    if request.node.stash.get(FAILED, False):
        print(made.tails())  # noqa: T201 - shown with the failure
    made.stop()


@pytest.fixture(scope="session")
def mothers() -> Iterator[Callable[[str], Mother]]:
    """What forks the processes of tests that are not about processes: see ``Stack.mothers``."""
    kept: dict[str, Mother] = {}

    def find(kind: str) -> Mother:
        if kind not in kept:
            kept[kind] = Mother(kind)
        return kept[kind]

    yield find
    for mother in kept.values():
        mother.stop()


@pytest.fixture
def settings(app: Flask) -> Settings:
    """The settings of that application."""
    found: Settings = app.extensions["stockroom_settings"]
    return found


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The database session of a test that calls services: it is inside the application."""
    with app.app_context():
        yield db.session()
        db.session.remove()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that nobody has signed in with."""
    return app.test_client()


@pytest.fixture
def admin(app: Flask) -> User:
    """An administrator."""
    return houses.load_person(app, "admin")


@pytest.fixture
def editor(app: Flask) -> User:
    """Somebody who may write."""
    return houses.load_person(app, "editor")


@pytest.fixture
def stranger(app: Flask) -> User:
    """Another editor, to whom nothing of the first one belongs."""
    return houses.load_person(app, "stranger")


@pytest.fixture
def viewer(app: Flask) -> User:
    """Somebody who may only read."""
    return houses.load_person(app, "viewer")
