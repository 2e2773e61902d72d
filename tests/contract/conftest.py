"""A shop with a few records of every kind, for tests that only look at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support import houses
from tests.support.factories import fill_shop


@pytest.fixture(scope="module")
def shop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application of a shop that has something in every list."""
    environment = houses.base_environment(tmp_path_factory.mktemp("shop"))
    houses.copy_sqlite(sqlite_template, Path(environment["DATA_DIR"]))
    app = houses.build_house(environment)
    with app.app_context():
        fill_shop()
    yield app
    houses.check_invariants(app)
    houses.close_house(app)
