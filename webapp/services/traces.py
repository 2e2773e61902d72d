"""Tracebacks as people read them."""

import re
import sys
import traceback

STACK_LIMIT = 8_000  # characters of a running stack that are kept: the innermost frames
_FOREIGN = ("site-packages", "/lib/python", "<frozen ")  # another host's traceback has other folders
_FRAME = re.compile(r'^  File "([^"]+)", line \d+', re.MULTILINE)


def keep_own_frames(trace: str) -> str:
    """Return a traceback without the frames of libraries; the messages stay."""
    kept: list[str] = []
    is_own = True
    for line in trace.splitlines():
        if frame := _FRAME.match(line):
            is_own = _is_own(frame.group(1))
        elif not line.startswith("    "):
            is_own = True  # the heading, or the exception itself
        if is_own:
            kept.append(line)
    return "\n".join(kept)


def _is_own(path: str) -> bool:
    return not any(part in path for part in _FOREIGN)


def storable(text: str) -> str:
    """Return the text as every database takes it: PostgreSQL has no NUL, and nobody half a surrogate."""
    return text.encode(errors="replace").decode().replace("\x00", "�")


def format_thread(thread_id: int) -> str:
    """Return where a thread of this process is at this moment; empty when it has ended."""
    frame = sys._current_frames().get(thread_id)  # noqa: SLF001 - the documented way
    return "".join(traceback.format_stack(frame))[-STACK_LIMIT:] if frame else ""


def release_frames(error: BaseException) -> None:
    """Let go of what the frames of an error hold: when memory ran out, it is needed to write down how it ended."""
    link: BaseException | None = error
    while link is not None:
        traceback.clear_frames(link.__traceback__)
        link = link.__context__
