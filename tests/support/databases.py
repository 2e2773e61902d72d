"""The mark of tests that run on the embedded database and on PostgreSQL with Redis."""

import pytest

POSTGRES = pytest.param("postgresql", marks=pytest.mark.integration)

on_both_databases = pytest.mark.parametrize("database", ["sqlite", POSTGRES], indirect=True)
