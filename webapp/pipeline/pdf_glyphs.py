"""Which characters the fonts of a PDF can draw: our own fonts and, as Pango would, those of the machine.

What none of them has becomes a white square and is counted, so that the reader of the file knows.
"""

import ctypes
import os
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from webapp.pipeline.pdf_text import clean
from webapp.pipeline.write_base import Note
from webapp.pipeline.write_text import REPLACEMENT, note_replaced
from webapp.resources.base import N_

MISSING = "\u25a1"  # white square
NO_FONT = N_("Characters for which there is no font, shown as “\u25a1”: %(count)s.")
INVISIBLE = frozenset(
    {"Cc", "Cf", "Mn", "Me", "Zl", "Zp", "Zs"}
)  # categories that nobody misses by themselves
FONTCONFIG = "libfontconfig.so.1"
SYSTEM_SET = 0  # FcSetSystem


class Glyphs:
    """Tells what can be drawn, and counts the characters that cannot."""

    def __init__(self, fonts: Iterable[Path]) -> None:
        self._own = _read_characters(tuple(fonts))
        self._known: dict[str, str] = {}
        self._missing = self._invalid = 0

    def show(self, text: str) -> str:
        """Return the text with plain line breaks, and with signs in place of what no font or PDF has."""
        shown = clean(text)
        if shown is not text:
            self._invalid += shown.count(REPLACEMENT) - text.count(REPLACEMENT)
        if shown.isascii() or self._own.issuperset(shown):
            return shown
        drawn = "".join(map(self._show_one, shown))
        self._missing += drawn.count(MISSING) - shown.count(MISSING)
        return drawn

    def _show_one(self, char: str) -> str:
        if char not in self._known:
            can_draw = char in self._own or unicodedata.category(char) in INVISIBLE or _has_system(char)
            self._known[char] = char if can_draw else MISSING
        return self._known[char]

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the reader should know about the characters."""
        missing = (Note(NO_FONT, {"count": self._missing}),) if self._missing else ()
        return (*note_replaced(self._invalid), *missing)


@cache
def _read_characters(fonts: tuple[Path, ...]) -> frozenset[str]:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # noqa: PLC0415 - slow, and only for PDFs

    codes: set[int] = {ord("\n")}
    for path in fonts:
        with TTFont(path, lazy=True) as font:
            codes.update(font.getBestCmap())
    return frozenset(map(chr, codes))


@cache
def _has_system(char: str) -> bool:
    """Whether a font of the machine has the character, as fontconfig says, which Pango asks, too."""
    library, charsets = _load_system()
    return any(library.FcCharSetHasChar(charset, ord(char)) for charset in charsets)


class _FontSet(ctypes.Structure):
    """FcFontSet: how many fonts, room for how many, and their patterns."""

    _fields_ = (
        ("count", ctypes.c_int),
        ("room", ctypes.c_int),
        ("fonts", ctypes.POINTER(ctypes.c_void_p)),
    )


@cache
def _load_system() -> tuple[Any, list[ctypes.c_void_p]]:
    """Return fontconfig and the character sets of the machine's fonts, but for those of somebody's home.

    The processes that draw have another home.
    """
    try:
        library = ctypes.CDLL(FONTCONFIG)
    except OSError:  # another system names its files otherwise
        return None, []
    library.FcInitLoadConfigAndFonts.restype = ctypes.c_void_p
    library.FcConfigGetFonts.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.FcConfigGetFonts.restype = ctypes.POINTER(_FontSet)
    for getter in (library.FcPatternGetCharSet, library.FcPatternGetString):
        getter.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p)]
    library.FcCharSetHasChar.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    found = library.FcConfigGetFonts(library.FcInitLoadConfigAndFonts(), SYSTEM_SET)
    charsets = []
    for index in range(found.contents.count if found else 0):
        pattern, charset, file = found.contents.fonts[index], ctypes.c_void_p(), ctypes.c_void_p()
        library.FcPatternGetString(pattern, b"file", 0, ctypes.byref(file))
        is_own = ctypes.string_at(file).startswith(os.fsencode(Path.home())) if file else True
        if not is_own and not library.FcPatternGetCharSet(pattern, b"charset", 0, ctypes.byref(charset)):
            charsets.append(charset)
    return library, charsets
