"""Programs and libraries that come from Debian: asked for through apt only where that is allowed."""

from __future__ import annotations

import ctypes
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import steps
from scripts.steps import CommandError, SetupError

if TYPE_CHECKING:
    from collections.abc import Callable

INSTALLER = "scripts/apt_install.sh"
# After a failed try (no network, say), further runs do not wait for apt again for a while.
RETRY_SECONDS = 3600


@dataclass(frozen=True)
class Need:
    """Something of the machine, how to see that it is there, and what is lost without it."""

    packages: tuple[str, ...]
    is_present: Callable[[], bool]
    lost: str


def _has_libraries(*names: str) -> bool:
    """Tell whether the loader finds these libraries, under the name of any system."""
    return all(
        any(
            _can_load(name)
            for name in (f"lib{stem}.so.{major}", f"lib{stem}.{major}.dylib", f"lib{stem}.dylib")
        )
        for stem, major in (name.split(":") for name in names)
    )


def _can_load(name: str) -> bool:
    """Tell whether one library loads."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _has_program(name: str) -> bool:
    """Tell whether a program is on the path."""
    return shutil.which(name) is not None


def _has_postgresql() -> bool:
    """Tell whether a PostgreSQL server is installed; Debian keeps its programs off the path."""
    return _has_program("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def _has_font() -> bool:
    """Tell whether the machine has any font; without one the browser draws no letters."""
    return any(Path("/usr/share/fonts").rglob("*.[ot]tf"))


PANGO = Need(
    ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
    lambda: _has_libraries(
        "gobject-2.0:0", "pango-1.0:0", "pangoft2-1.0:0", "fontconfig:1", "harfbuzz:0", "harfbuzz-subset:0"
    ),
    "PDF is unavailable",
)
FOR_TESTS = (
    Need(("chromium",), lambda: _has_program("chromium"), "browser tests are skipped"),
    Need(("fonts-dejavu-core",), _has_font, "browser tests see no letters"),
    Need(("poppler-utils",), lambda: _has_program("pdftotext"), "tests that read a PDF back are skipped"),
    Need(("redis-server",), lambda: _has_program("redis-server"), "tests on Redis are skipped"),
    Need(("postgresql",), _has_postgresql, "tests on PostgreSQL are skipped"),
)


def require(package: str, reason: str) -> None:
    """Install what the set-up cannot go on without, or stop with the command that does."""
    if not _install((package,)):
        raise SetupError(f"{reason}: {package} is missing. {_advice([package])}")


def ensure(needs: tuple[Need, ...]) -> None:
    """Install what is missing of these, or say in one line what is lost and how to get it."""
    missing = [need for need in needs if not need.is_present() and not _install(need.packages)]
    if missing:
        packages = [package for need in missing for package in need.packages]
        steps.say(f"Note: {', '.join(need.lost for need in missing)}. {_advice(packages)}")


def _advice(packages: list[str]) -> str:
    """Say what to type for these packages."""
    if shutil.which("apt-get"):
        return f"To install what is missing: sudo sh {INSTALLER} {' '.join(packages)}"
    return f"Install what your system has for these Debian packages: {' '.join(packages)}"


def _install(packages: tuple[str, ...]) -> bool:
    """Install through apt, and tell whether that was allowed and worked."""
    root = _root_prefix()
    failure = steps.STATE / f"apt-failed-{packages[0]}"
    if root is None or _is_recent(failure):
        return False
    steps.say(f"Installing {' '.join(packages)} through apt")
    try:
        steps.run([*root, "sh", INSTALLER, *packages], "apt")
    except CommandError as error:
        steps.say(str(error))
        failure.touch()
        return False
    return True


def _is_recent(failure: Path) -> bool:
    """Tell whether apt failed a short while ago; APT=1 tries again at once."""
    return (
        os.environ.get("APT") != "1"
        and failure.exists()
        and time.time() - failure.stat().st_mtime < RETRY_SECONDS
    )


def _root_prefix() -> list[str] | None:
    """Return the words before a command that root must run, or None where that is not allowed."""
    choice = os.environ.get("APT")
    if not shutil.which("apt-get") or choice == "0":
        return None
    if os.geteuid() == 0:
        return []
    return ["sudo", "-n"] if choice == "1" else None
