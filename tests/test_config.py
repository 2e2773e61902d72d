"""The settings: read once, refused with the variable's name, safe in production."""

import re
import stat
from pathlib import Path

import pytest

from config import ROOT, ConfigError, Settings, load_settings
from tests.support.houses import EVERY_VARIABLE

KEY = "k" * 40


def load(tmp_path: Path, **variables: str) -> Settings:
    """Read settings from these variables alone."""
    return load_settings({"DATA_DIR": str(tmp_path), **variables})


def test_the_example_lists_every_setting_and_no_other() -> None:
    text = (ROOT / ".env.example").read_text()
    listed = re.findall(r"^#? ?([A-Z][A-Z_]+)=", text, re.MULTILINE)
    assert sorted(listed) == sorted(EVERY_VARIABLE)


def test_the_example_says_the_defaults(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text()
    shown = dict(re.findall(r"^#? ?([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE))
    kept_out = {"DATA_DIR", "SECRET_KEY"}
    given = {name: value for name, value in shown.items() if name not in kept_out and value.strip()}
    assert load(tmp_path, SECRET_KEY=KEY, **given) == load(tmp_path, SECRET_KEY=KEY)


def test_without_any_variable_everything_has_a_default(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.is_production, settings.is_sqlite, settings.host) == (False, True, "127.0.0.1")
    assert settings.sqlalchemy_url == f"sqlite:///{tmp_path}/stockroom.db"


@pytest.mark.parametrize(
    "variables",
    [{"APP_ENV": "production"}, {"DATABASE_URL": "postgresql://db/shop"}, {"HOST": "0.0.0.0"}],  # noqa: S104
    ids=["said", "a database server", "an open host"],
)
def test_production_does_not_start_without_a_secret(tmp_path: Path, variables: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="SECRET_KEY is missing"):
        load(tmp_path, **variables)
    assert load(tmp_path, SECRET_KEY=KEY, **variables).is_production


@pytest.mark.parametrize("key", ["short", "x" * 31, "change-me", "SECRET"])
def test_a_short_or_known_secret_is_refused_everywhere(tmp_path: Path, key: str) -> None:
    for variables in ({}, {"APP_ENV": "production"}):
        with pytest.raises(ConfigError, match="SECRET_KEY is too short or well known"):
            load(tmp_path, SECRET_KEY=key, **variables)


def test_a_database_server_can_be_used_without_being_production(tmp_path: Path) -> None:
    assert not load(tmp_path, APP_ENV="development", DATABASE_URL="postgresql://db/shop").is_production


def test_at_home_a_secret_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    first, second = load(tmp_path), load(tmp_path)
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 32
    kept = tmp_path / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "-1"),
        ("ASYNC_MODE", "gevent"),
        ("APP_TIMEZONE", "Mars/Olympus"),
        ("APP_LANGUAGE", "xx"),
        ("SEED_DEMO", "maybe"),
        ("LEASE_SECONDS", "soon"),
        ("MAX_UPLOAD_MB", "0"),
        ("APP_ENV", "prod"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is “{re.escape(value)}”, which cannot be used: .+[.]$"):
        load(tmp_path, **{name: value})


def test_an_empty_variable_counts_as_not_given(tmp_path: Path) -> None:
    assert load(tmp_path, PORT="", SEED_DEMO=" ").port == 5000


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgresql_is_reached_through_psycopg(tmp_path: Path, scheme: str) -> None:
    settings = load(tmp_path, DATABASE_URL=f"{scheme}://u:p@db/shop", SECRET_KEY=KEY)
    assert settings.sqlalchemy_url == "postgresql+psycopg://u:p@db/shop"
    assert not settings.is_sqlite


def test_a_relative_folder_is_below_the_checkout() -> None:
    assert load_settings({"DATA_DIR": "var/here", "SECRET_KEY": KEY}).data_dir == ROOT / "var" / "here"
