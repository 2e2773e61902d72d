"""The environment of the programs that ours are compared with, made once and kept in a cache folder."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent
REQUIREMENTS = BENCH / "requirements-peers.txt"


def get_peers_python() -> str:
    """Return the interpreter of the peers' environment, installing it first where it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    folder = cache / "stockroom-bench" / f"peers-{digest}"
    python, ready = folder / "bin" / "python", folder / "installed"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)  # noqa: S603 - our own
        install = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS)]
        subprocess.run([str(python), *install], check=True)  # noqa: S603 - the same
        ready.touch()
    return str(python)
