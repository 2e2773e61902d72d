"""What every step of the set-up shares: paths, messages, commands, and stamps of finished work."""

from __future__ import annotations

import functools
import hashlib
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STATE = VENV / ".stockroom"


class SetupError(Exception):
    """A sentence for the person at the terminal: what is wrong and what to do."""


class CommandError(SetupError):
    """A command that ended badly; the message holds its last line of output."""


def say(text: str) -> None:
    """Print one line at once, also where output is a pipe."""
    print(text, flush=True)


@functools.cache
def environment() -> dict[str, str]:
    """Return the environment for package tools: the machine's certificates, no questions, a home."""
    env = {
        "UV_SYSTEM_CERTS": "1",
        "NODE_USE_SYSTEM_CA": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        **os.environ,
    }
    if not os.access(Path.home(), os.W_OK):
        # Service accounts often have no home, and uv and npm keep their caches there.
        env["HOME"] = str(STATE / "home")
    return env


def run(command: Sequence[str | Path], log: str, **variables: str) -> None:
    """Run a command in the project's folder, its output in a log file beside the stamps."""
    words = [str(word) for word in command]
    log_path = STATE / f"{log}.log"
    STATE.mkdir(parents=True, exist_ok=True)
    with log_path.open("w+", encoding="utf-8", errors="replace") as output:
        try:
            result = subprocess.run(
                words,
                cwd=ROOT,
                env=environment() | variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        except OSError as error:
            raise CommandError(f"{words[0]} cannot be started: {error.strerror}.") from error
        if result.returncode:
            output.seek(0)
            lines = [line.strip() for line in output if line.strip()] or ["nothing"]
            raise CommandError(
                f"`{shlex.join(words[:4])} …` ended with {result.returncode}, its last words: {lines[-1]} "
                f"(all of it: {log_path.relative_to(ROOT)})."
            )


def digest(*parts: str | Path) -> str:
    """Hash texts and the contents of files; a missing file counts as empty."""
    result = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part.read_bytes() if part.exists() else b""
        result.update(b"%d:" % len(content) + content)
    return result.hexdigest()


def once(
    step: str,
    key: str,
    work: Callable[[], None],
    *,
    intact: bool = True,
    key_after: Callable[[], str] | None = None,
) -> None:
    """Do a step unless it was finished with the same key and its result is intact; then remember it."""
    stamp = STATE / step
    if intact and stamp.is_file() and stamp.read_text(encoding="ascii") == key:
        return
    stamp.unlink(missing_ok=True)  # an interrupted step has to start again
    work()
    STATE.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key_after() if key_after else key, encoding="ascii")
