"""Bring a fresh checkout to the state in which Stockroom runs: `python3 -m scripts.setup`.

Steps that are done already cost next to nothing: each leaves a stamp in `.venv/.stockroom` with a
hash of what it was made from.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys

from scripts import system_packages
from scripts.frontend import ensure_frontend
from scripts.python_packages import ensure_packages, ensure_venv
from scripts.steps import ROOT, SetupError, say
from scripts.translations import ensure_translations


def main() -> int:
    """Do what is missing; answer 0, or 1 after one sentence that says what to do."""
    parser = argparse.ArgumentParser(prog="scripts.setup", description="Set up this checkout of Stockroom.")
    parser.add_argument("--dev", action="store_true", help="also what tests and linters import")
    parser.add_argument(
        "--services", action="store_true", help="also the browser and servers that tests start"
    )
    options = parser.parse_args()
    try:
        _wait_for_others()
        ensure_venv()
        ensure_packages(dev=options.dev)
        ensure_frontend()
        ensure_translations()
        system_packages.ensure(
            (system_packages.PANGO, *(system_packages.FOR_TESTS if options.services else ()))
        )
    except SetupError as error:
        say(f"Set-up stopped: {error}")
    except OSError as error:
        say(
            f"Set-up stopped: {error.filename or 'a file'}: {error.strerror or error}. "
            "Check that this folder is yours and the disk not full, then run the same command again."
        )
    except KeyboardInterrupt:
        say("Set-up interrupted; the same command goes on from here.")
    else:
        return 0
    return 1


def _wait_for_others() -> None:
    """Take the checkout for this process, until it ends: two set-ups at once would break each other."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another set-up is running in this folder; waiting for it.")
        fcntl.flock(folder, fcntl.LOCK_EX)


if __name__ == "__main__":
    sys.exit(main())
