"""A shop with a few records of every kind."""

import pytest
from flask import Flask

from tests.support.factories import fill_shop


@pytest.fixture
def shop(app: Flask) -> None:
    """Something in every list."""
    with app.app_context():
        fill_shop()
