"""The settings of Stockroom: frozen, and read once from the environment and ``.env``.

Nothing else in the project reads the environment. Every setting is one field of ``Settings``; its
name in upper case is the variable's name, and ``.env.example`` lists them all (a test sees to it).
"""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parent
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
LANGUAGES = {"en": "English", "pt_BR": "Português (Brasil)"}
SHORTEST_SECRET = 32
KNOWN_SECRETS = frozenset({"change-me", "changeme", "secret", "dev", "development", "password", "stockroom"})


class ConfigError(Exception):
    """A setting that cannot be used. The message names the variable and says what to write."""


def _boolean(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("write 1 or 0")


def _timezone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("write a name of the time zone database, such as America/Sao_Paulo") from None
    return text


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in text.split(","))
    except ValueError as error:
        raise ValueError(f"write networks such as 10.0.0.0/8 with commas between ({error})") from None


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"write one of: {', '.join(choices)}")
        return text

    return parse


def _at_least(minimum: float, kind: Callable[[str], Any] = int) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        value = kind(text)
        if value < minimum:
            raise ValueError(f"write a number of at least {minimum}")
        return value

    return parse


def _setting(default: Any, parse: Callable[[str], Any] = str) -> Any:
    return field(default=default, metadata={"parse": parse})


@dataclass(frozen=True)
class Settings:
    """Every setting, with its default. What each means stands in ``.env.example``."""

    app_env: str = _setting("", _one_of("", "development", "production"))
    host: str = _setting("127.0.0.1")
    port: int = _setting(5000, _at_least(0))
    data_dir: Path = _setting(Path("var"), Path)
    secret_key: str = _setting("")
    database_url: str = _setting("")
    redis_url: str = _setting("")
    storage_url: str = _setting("")
    async_mode: str = _setting("eventlet", _one_of("eventlet", "threading"))
    trusted_proxies: int = _setting(0, _at_least(0))
    allowed_origins: str = _setting("")
    log_level: str = _setting("INFO", _one_of("DEBUG", "INFO", "WARNING", "ERROR"))
    log_format: str = _setting("plain", _one_of("plain", "json"))
    log_keep_days: int = _setting(7, _at_least(1))
    log_keep_rows: int = _setting(100_000, _at_least(0))

    app_timezone: str = _setting("UTC", _timezone)
    app_language: str = _setting("en", _one_of(*LANGUAGES))
    currency: str = _setting("USD")
    allow_negative_stock: bool = _setting(False, _boolean)

    admin_email: str = _setting("admin@example.com")
    admin_password: str = _setting("")
    seed_demo: bool = _setting(True, _boolean)

    max_upload_mb: int = _setting(200, _at_least(1))
    max_import_rows: int = _setting(2_000_000, _at_least(1))
    max_import_columns: int = _setting(200, _at_least(1))
    max_cell_length: int = _setting(100_000, _at_least(1))
    pdf_max_rows: int = _setting(100_000, _at_least(1))
    file_ttl_days: int = _setting(7, _at_least(1))

    api_requests_per_minute: int = _setting(600, _at_least(1))
    metrics_allowed_networks: tuple[IPv4Network | IPv6Network, ...] = _setting((), _networks)
    api_batch_records: int = _setting(1_000, _at_least(1))
    api_batch_mb: int = _setting(10, _at_least(1))

    lease_seconds: float = _setting(60.0, _at_least(0.1, float))
    heartbeat_seconds: float = _setting(15.0, _at_least(0.02, float))
    frozen_seconds: float = _setting(30.0, _at_least(1, float))
    relay_seconds: float = _setting(3.0, _at_least(0.05, float))
    retry_delay_seconds: float = _setting(60.0, _at_least(0, float))
    max_retries: int = _setting(3, _at_least(0))
    max_crashes: int = _setting(3, _at_least(1))
    batch_seconds: float = _setting(0.1, _at_least(0.001, float))
    job_keep_days: int = _setting(30, _at_least(0))
    metrics_debounce_seconds: float = _setting(10.0, _at_least(0, float))
    event_poll_seconds: float = _setting(0.1, _at_least(0.01, float))

    @property
    def is_production(self) -> bool:
        """Whether others can reach it: said outright, or implied by a database server or an open host."""
        if self.app_env:
            return self.app_env == "production"
        return bool(self.database_url) or self.host not in LOOPBACK

    @property
    def sqlalchemy_url(self) -> str:
        """The database's address for SQLAlchemy: psycopg 3 for PostgreSQL, a file in ``data_dir`` otherwise."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir / 'stockroom.db'}"
        scheme, _, rest = self.database_url.partition("://")
        if scheme in {"postgres", "postgresql"}:
            return f"postgresql+psycopg://{rest}"
        return self.database_url

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is used."""
        return self.sqlalchemy_url.startswith("sqlite")

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which dates are shown and days are counted."""
        return ZoneInfo(self.app_timezone)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from ``environ`` (the process's own, over ``.env``, when None).

    Raises ConfigError naming the first variable that cannot be used.
    """
    if environ is None:
        environ = {**_read_dotenv(), **os.environ}
    values = {item.name: _parse(item, environ) for item in fields(Settings)}
    values["data_dir"] = (ROOT / values["data_dir"]).resolve()
    settings = Settings(**values)
    return _with_secret_key(settings)


def _read_dotenv() -> dict[str, str]:
    return {name: value for name, value in dotenv_values(ROOT / ".env").items() if value is not None}


def _parse(item: Field[Any], environ: Mapping[str, str]) -> Any:
    name = item.name.upper()
    text = environ.get(name, "").strip()
    if not text:
        return item.default
    try:
        return item.metadata["parse"](text)
    except (ValueError, ArithmeticError) as error:
        raise ConfigError(f"{name} is “{text}”, which cannot be used: {error}.") from None


def _with_secret_key(settings: Settings) -> Settings:
    key = settings.secret_key
    if key and (len(key) < SHORTEST_SECRET or key.lower() in KNOWN_SECRETS):
        raise ConfigError(
            f"SECRET_KEY is too short or well known: give it at least {SHORTEST_SECRET} random characters,"
            " for example from: python -c 'import secrets; print(secrets.token_urlsafe(48))'."
        )
    if key:
        return settings
    if settings.is_production:
        raise ConfigError(
            "SECRET_KEY is missing, and this is production (APP_ENV, DATABASE_URL or HOST says so): set it to"
            " the output of: python -c 'import secrets; print(secrets.token_urlsafe(48))'."
        )
    values = {item.name: getattr(settings, item.name) for item in fields(Settings)}
    return Settings(**{**values, "secret_key": _keep_own_secret(settings.data_dir / "secret_key")})


def _keep_own_secret(path: Path) -> str:
    """Return the key of this data folder, made by whoever comes first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    made.touch(mode=0o600)
    made.write_text(secrets.token_urlsafe(48))
    try:
        os.link(made, path)  # atomic: web and worker may start at the same moment
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return path.read_text().strip()
