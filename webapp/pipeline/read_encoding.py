"""Bytes to text: which encoding the whole file is in, and the text opened with its line ends untouched."""

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from webapp.pipeline.limits import Limits
from webapp.pipeline.problems import Notice, ReadProblem, make_notice
from webapp.pipeline.sniff import HEAD_BYTES, guess_utf16
from webapp.resources.base import N_

_BLOCK = 1024 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose BOM it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What ``surrogateescape`` makes of a byte that is not UTF-8.
BAD_BYTE = re.compile("[\udc80-\udcff]")


@dataclass
class TextFacts:
    """What a pass over the whole text showed; lines are physical and count from 1."""

    encoding: str
    lines: int = 0
    bad_bytes: int = 0
    first_bad_line: int = 0
    accents: int = 0  # characters beyond ASCII that decoded well
    backslash_quote: bool = False  # \" occurs somewhere

    @property
    def is_mixed(self) -> bool:
        """Whether this is UTF-8 with damage, rather than some other encoding.

        Accents of another encoding hardly ever happen to be UTF-8, so a majority decides.
        """
        return 0 < self.bad_bytes <= self.accents


def detect_encoding(file: BinaryIO, limits: Limits, override: str = "") -> tuple[TextFacts, list[Notice]]:
    """Return the encoding of the whole file: BOM, else UTF-16 if clear, else UTF-8, else cp1252.

    An override is taken as given, and the file must keep to it.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "")
    if override:
        has_bom = encoding == "utf-8-sig" and codecs.lookup(_checked(override)).name == "utf-8"
        return _scan(file, encoding if has_bom else _checked(override), limits), []
    encoding = encoding or guess_utf16(head)
    if encoding and encoding != "utf-8-sig":
        return _scan(file, encoding, limits), []
    facts = _scan(file, encoding or "utf-8", limits, "surrogateescape")
    if not facts.bad_bytes:
        return facts, []
    if facts.is_mixed:
        return facts, [_mixed_notice(facts)]
    return _scan_as_windows(file, facts, limits)


def is_text_encoding(name: str) -> bool:
    """Whether Python can decode text with the codec of this name."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)
    except (LookupError, ValueError):
        return False
    return True


@contextmanager
def open_text(file: BinaryIO, encoding: str, *, mixed: bool = False) -> Iterator[TextIO]:
    """Open the file from its start, keeping every line end; the binary file stays open afterwards."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, errors="surrogateescape" if mixed else "strict", newline="")
    try:
        yield text
    except UnicodeDecodeError:
        raise _not_decodable(encoding) from None
    finally:
        if not file.closed:  # a generator left behind may end after its file
            text.detach()


def _checked(encoding: str) -> str:
    if not is_text_encoding(encoding):
        raise ReadProblem(
            N_("“%(encoding)s” is not an encoding that can be read."),
            N_("Choose one such as utf-8 or cp1252."),
            encoding=encoding,
        )
    return encoding


def _scan_as_windows(file: BinaryIO, seen: TextFacts, limits: Limits) -> tuple[TextFacts, list[Notice]]:
    """Every byte means something in latin-1, all but five in cp1252."""
    try:
        facts = _scan(file, "cp1252", limits)
    except ReadProblem as problem:
        if problem.params.get("encoding") != "cp1252":
            raise
        facts = _scan(file, "latin-1", limits)
    facts.first_bad_line = seen.first_bad_line
    name = "Windows-1252" if facts.encoding == "cp1252" else "Latin-1"
    message = N_(
        "The file is not UTF-8 (first seen on line %(line)s); it is read as %(encoding)s. "
        "Check that accents look right, or choose another encoding."
    )
    return facts, [make_notice(message, line=seen.first_bad_line, encoding=name)]


def _mixed_notice(facts: TextFacts) -> Notice:
    return make_notice(
        N_(
            "The file is UTF-8, but %(count)s bytes in it are not (first on line %(line)s); "
            "the rows that hold them are reported."
        ),
        count=facts.bad_bytes,
        line=facts.first_bad_line,
    )


def _scan(file: BinaryIO, encoding: str, limits: Limits, errors: str = "strict") -> TextFacts:
    """Decode the whole file once, a block at a time."""
    facts = TextFacts(encoding)
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    file.seek(0)
    open_length, last = 0, ""
    while True:
        block = file.read(_BLOCK)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            line = facts.lines + count_line_ends(error.object[: error.start].decode(encoding, "ignore")) + 1
            raise _not_decodable(encoding, line) from None
        if not text.isascii():
            _count_accents(text, facts)
        facts.backslash_quote = facts.backslash_quote or '\\"' in text
        facts.lines += count_line_ends(text) - (last == "\r" and text.startswith("\n"))
        end = max(text.rfind("\n"), text.rfind("\r"))
        open_length = open_length + len(text) if end < 0 else len(text) - end - 1
        if open_length > limits.max_line_length:
            raise _line_too_long(facts.lines + 1, limits)
        last = text[-1:] or last
        if not block:
            facts.lines += last not in ("\n", "\r", "")
            return facts


def count_line_ends(text: str) -> int:
    """Return the number of line ends: LF, CR, or both together."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _count_accents(text: str, facts: TextFacts) -> None:
    bad = BAD_BYTE.search(text)
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    if bad:
        facts.first_bad_line = facts.first_bad_line or facts.lines + count_line_ends(text[: bad.start()]) + 1
        count = len(BAD_BYTE.findall(text))
        facts.bad_bytes += count
        beyond -= count
    facts.accents += beyond


def _not_decodable(encoding: str, line: int | None = None) -> ReadProblem:
    if line is None:
        return ReadProblem(
            N_("The file is not text in the encoding %(encoding)s."),
            N_("Choose another encoding."),
            encoding=encoding,
        )
    return ReadProblem(
        N_("Line %(line)s is not text in the encoding %(encoding)s."),
        N_("Choose another encoding."),
        line=line,
        encoding=encoding,
    )


def _line_too_long(line: int, limits: Limits) -> ReadProblem:
    return ReadProblem(
        N_("Line %(line)s has more than %(limit)s characters."),
        N_("Check that the file is a table with one record a line."),
        line=line,
        limit=limits.max_line_length,
    )
