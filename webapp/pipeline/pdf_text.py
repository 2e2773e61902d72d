"""Text that fits its column: cleaned, wrapped, and shortened only with an ellipsis."""

import re
from dataclasses import dataclass

from webapp.pipeline.pdf_fonts import Face

ELLIPSIS = "…"
_LINE_BREAK = re.compile("\r\n?|[\n\v\f\x85\u2028\u2029]")
_INVALID = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Line:
    """One line of a cell. ``width`` is None where only a layout engine can tell it."""

    text: str
    width: int | None


NO_LINES: tuple[Line, ...] = (Line("", 0),)


def clean(text: str) -> str:
    """Return the text with plain line breaks, and U+FFFD for what cannot be shown."""
    if text.isprintable():
        return text
    text = _LINE_BREAK.sub("\n", text).replace("\t", " ")
    return _INVALID.sub("\ufffd", text)


def wrap(text: str, width: int, face: Face, limit: int | None = None) -> tuple[tuple[Line, ...], bool]:
    """Return the lines of a text in a column of this width, and whether it was shortened.

    More than ``limit`` lines end in an ellipsis.
    """
    if not text:
        return NO_LINES, False
    measured = face.measure(text)
    if measured is not None and measured <= width:
        return (Line(text, measured),), False
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += _wrap_paragraph(paragraph, width, face, None if limit is None else limit + 1)
        if limit is not None and len(lines) > limit:
            lines = [*lines[: limit - 1], _shorten(lines[limit - 1], width, face)]
            return tuple(Line(line, face.measure(line)) for line in lines), True
    return tuple(Line(line, face.measure(line)) for line in lines), False


def _wrap_paragraph(text: str, width: int, face: Face, limit: int | None) -> list[str]:
    """Fill lines with words, and break the words that are longer than a line."""
    lines: list[str] = []
    line, used = "", 0
    space = face.estimate(" ")
    for word in text.split(" "):
        length = face.estimate(word)
        if line and used + space + length <= width:
            line, used = f"{line} {word}", used + space + length
            continue
        if line:
            lines.append(line)
        rest = word
        while length > width and (limit is None or len(lines) < limit):
            part, rest = _split(rest, width, face)
            lines.append(part)
            length = face.estimate(rest)
        line, used = rest, length
        if limit is not None and len(lines) >= limit:
            break
    lines.append(line)
    return lines


def _split(text: str, width: int, face: Face) -> tuple[str, str]:
    """Split a text after the last character that fits, at least one."""
    used = 0
    for index, char in enumerate(text):
        used += face.estimate(char)
        if used > width and index:
            return text[:index], text[index:]
    return text, ""


def _shorten(line: str, width: int, face: Face) -> str:
    """Return the line with an ellipsis in place of what follows it."""
    room = width - face.estimate(ELLIPSIS)
    if face.estimate(line) > room:
        line = _split(line, room, face)[0]
    return line.rstrip() + ELLIPSIS
