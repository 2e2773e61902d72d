"""The version of the code: the newest heading of the changelog."""

import re
from functools import cache

from config import ROOT


@cache
def get_version() -> str:
    """Return the version, such as ``0.1.0``."""
    found = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    return found.group(1) if found else "unknown"
