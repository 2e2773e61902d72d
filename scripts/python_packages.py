"""The virtual environment and the locked Python packages in it."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

from scripts import steps, system_packages
from scripts.steps import CommandError, SetupError

if TYPE_CHECKING:
    from pathlib import Path

UV = steps.VENV / "bin" / "uv"
# uv itself is locked too, and named in every sync, which removes what it does not find in its list.
BOOTSTRAP = steps.ROOT / "requirements-bootstrap.txt"
RUNTIME = steps.ROOT / "requirements.txt"
DEVELOPMENT = steps.ROOT / "requirements-dev.txt"


def ensure_venv() -> None:
    """Make `.venv`, again if the checkout moved or its Python went away: scripts in it name both."""
    steps.once("venv", _venv_key(), _make_venv, key_after=_venv_key)


def ensure_packages(*, dev: bool) -> None:
    """Bring `.venv` to the lock; one that once had the development tools keeps them."""
    dev = dev or (steps.STATE / "packages-dev").exists()
    lock = DEVELOPMENT if dev else RUNTIME
    steps.once("packages-dev" if dev else "packages", steps.digest(lock, BOOTSTRAP), lambda: _sync(lock))


def _venv_key() -> str:
    """Identify the venv by what breaks it: another place, or another interpreter behind its link, or none."""
    return steps.digest(str(steps.ROOT), str(steps.VENV_PYTHON.resolve()), str(steps.VENV_PYTHON.exists()))


def _make_venv() -> None:
    """Create an empty environment with uv in it."""
    if importlib.util.find_spec("ensurepip") is None:
        system_packages.require("python3-venv", "This Python cannot make a virtual environment")
    steps.say("Making .venv")
    steps.run([sys.executable, "-m", "venv", "--clear", steps.VENV], "venv")
    try:
        _pip_install(BOOTSTRAP)
    except CommandError:
        steps.say("uv cannot be had here; pip does the work, more slowly.")


def _sync(lock: Path) -> None:
    """Install a lock by uv; by pip where uv is missing or fails (uv does not read pip's settings)."""
    steps.say(f"Installing the Python packages of {lock.name}")
    options: list[str | Path] = ["--require-hashes", "--compile-bytecode", "--python", steps.VENV_PYTHON]
    if UV.exists():
        try:
            steps.run([UV, "pip", "sync", *options, lock, BOOTSTRAP], "uv")
        except CommandError as error:
            steps.say(f"{error} Trying pip.")
        else:
            return
    install_by_pip(lock)


def install_by_pip(lock: Path) -> None:
    """Install a lock into `.venv` beside what is there."""
    try:
        _pip_install(lock)
    except CommandError as error:
        raise SetupError(
            f"{error} Check the network and pip's settings, then run the same command again."
        ) from error


def _pip_install(lock: Path) -> None:
    """Run pip on one lock file."""
    steps.run([steps.VENV_PYTHON, "-m", "pip", "install", "--require-hashes", "-r", lock], "pip")
