"""The XML of a workbook as it streams by: whole tags, and nothing that only looks like one."""

import re
from collections.abc import Iterable, Iterator

_HIDDEN = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)
_HIDING = re.compile(rb"<!--|<!\[CDATA\[|<\?")
_MAX_OPEN = 4 * 1024 * 1024  # bytes; a cell's text has at most 32,767 characters


class OverlongTag(ValueError):
    """A tag does not end within reason: no program writes such a workbook."""


def cut_between_tags(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield the blocks with every tag whole, and how many bytes came in; comments and CDATA are left out.

    A long text may come in parts; the last part may be followed by a tag that never ended.
    """
    open_part = b""
    for block in blocks:
        text = open_part + block
        end = _find_end(text)
        yield _HIDDEN.sub(b"", text[:end]), len(block)
        open_part = text[end:]
        if len(open_part) > _MAX_OPEN:
            raise OverlongTag
    yield open_part, 0


def _find_end(text: bytes) -> int:
    """Return where the last tag begins that may go on, or what hides tags; the end if there is none."""
    last = text.rfind(b"<")
    visible = _HIDDEN.sub(lambda match: b" " * len(match[0]), text) if _HIDING.search(text) else text
    hiding = _HIDING.search(visible)
    if hiding:
        return hiding.start()
    last = visible.rfind(b"<")
    return last if last >= 0 and b">" not in visible[last:] else len(text)
