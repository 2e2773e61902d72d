"""The version of the code: the changelog's newest number, and a digest of the code that this process loaded.

The number is for people; the digest changes with every deploy, so that a worker which still runs the code of
before is told from the others. It is taken when this module is imported, before a deploy can change the files.
"""

import hashlib
import re

from config import ROOT

CODE = ("config.py", "wsgi.py", "requirements.txt", "tasks/**/*.py", "webapp/**/*.py", "templates/**/*.html")
DIGITS = 8


def get_version() -> str:
    """Return the version, such as ``0.1.0+3f9ac21d``."""
    return _VERSION


def read_number() -> str:
    """Return the number of the changelog's newest heading."""
    found = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    return found.group(1) if found else "unknown"


def digest_code() -> str:
    """Return what changes whenever the code does: a digest of the files' names and contents."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in CODE for path in ROOT.glob(pattern)):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:DIGITS]


_VERSION = f"{read_number()}+{digest_code()}"
