"""Addresses of static files carry a hash of their content, so that browsers may keep them for ever."""

import hashlib
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

KEEP_SECONDS = 60 * 60 * 24 * 365
HASH_LENGTH = 10
SPRITE = "vendor/icons.svg"

# Our stylesheets in the order of the cascade: tokens first, then what is everywhere, then parts of pages.
STYLESHEETS = (
    *("tokens", "page", "shell", "menus", "buttons", "cards", "tables", "states", "forms"),
    *("exports", "imports", "import_steps", "jobs", "dashboard", "monitor", "toasts", "sign_in"),
    *("windows", "references", "record_forms", "users", "record", "audit", "stock", "lists"),
)


def init_app(app: Flask) -> None:
    """Add ``?v=…`` to every ``url_for("static", …)`` and let what was asked for with it be kept."""
    folder = Path(app.static_folder or "")
    known: dict[str, tuple[int, str]] = {}

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if (
            endpoint == "static"
            and "v" not in values
            and (version := _version(folder, values["filename"], known))
        ):
            values["v"] = version

    @lru_cache(maxsize=1)
    def list_versions(_second: int) -> list[str]:
        names = [f"css/{name}.css" for name in STYLESHEETS]
        return [f"{name}?v={_version(folder, name, known)}" for name in names]

    @app.template_global()
    def list_stylesheets() -> list[str]:
        """Return the addresses of our stylesheets; every page asks, so their files are looked at once a second."""
        start = f"{request.script_root}{app.static_url_path}"
        return [f"{start}/{name}" for name in list_versions(int(time.monotonic()))]

    @lru_cache(maxsize=1)
    def find_sprite(_second: int) -> str:
        return f"{SPRITE}?v={_version(folder, SPRITE, known)}"

    @app.template_global()
    def sprite_url() -> str:
        """Return the address of the icons, of which a page has dozens."""
        return f"{request.script_root}{app.static_url_path}/{find_sprite(int(time.monotonic()))}"

    @app.after_request
    def keep_versions(response: Response) -> Response:
        if request.endpoint == "static" and "v" in request.args and response.status_code == 200:
            response.headers["Cache-Control"] = f"public, max-age={KEEP_SECONDS}, immutable"
        return response


def _version(folder: Path, name: str, known: dict[str, tuple[int, str]]) -> str:
    """Return the hash of a file, read again only when the file changed; empty when there is none."""
    path = folder / name
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return ""
    if name not in known or known[name][0] != changed:
        known[name] = (changed, hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_LENGTH])
    return known[name][1]
