"""Addresses of static files carry a hash of their content, so that browsers may keep them for ever."""

import hashlib
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

KEEP_SECONDS = 60 * 60 * 24 * 365
HASH_LENGTH = 10


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
