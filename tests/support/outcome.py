"""How a test ended, for fixtures that keep evidence of a failure."""

import pytest

FAILED = pytest.StashKey[bool]()
