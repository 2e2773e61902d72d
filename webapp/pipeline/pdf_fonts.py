"""The fonts of a PDF and the widths of their characters.

A line of the table is one run of text, in which spaces of several widths put each cell at its place.
That takes the exact width of every text, with kerning and ligatures off; it is why a PDF uses our own
font files rather than whatever the machine has.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from webapp.resources.base import N_
from webapp.resources.types import Problem

FONTS = Path(__file__).parents[2] / "static" / "vendor" / "fonts"
SYSTEM_FONTS = Path("/usr/share/fonts")
FAMILIES = (  # regular and bold, best first
    ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf"),
    ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    ("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"),
)
OTHERS = (  # for characters that the family has not
    ("Symbols", "DejaVuSans.ttf"),  # Arabic, Hebrew, arrows …
    ("Emoji", "NotoEmoji-Regular.ttf"),
)

# Characters whose width is the sum of its parts: no marks that combine, no script that joins letters
# or runs from right to left, nothing invisible.
SIMPLE_RANGES = (
    (0x20, 0x7E),
    (0xA0, 0xAC),
    (0xAE, 0x24F),
    (0x370, 0x482),
    (0x48A, 0x52F),
    (0x1E00, 0x1FFF),
    (0x2010, 0x2027),
    (0x202F, 0x205E),
    (0x2070, 0x209C),
    (0x20A0, 0x20BF),
    (0x2100, 0x218F),
    (0xFFFD, 0xFFFD),
)
SPACES = "\u2003\u2002\u2004\u2005\u2006\u2009\u200a\u205f "
FIRST_WIDE = "\u1100"  # from here on many characters are as wide as high, emoji wider
EM = 1000  # widths are in thousandths of the font size
EXACT_FROM = 1230  # from here on the spaces of our fonts add up to any width


@dataclass(frozen=True)
class FontFiles:
    """The font files that a PDF uses, and may read."""

    regular: Path
    bold: Path
    others: tuple[tuple[str, Path], ...]

    @property
    def paths(self) -> list[Path]:
        """All files."""
        return [self.regular, self.bold, *(path for _, path in self.others)]


def find_fonts() -> FontFiles:
    """Return our own fonts, or else the system's; Problem when there are none."""
    for regular, bold in FAMILIES:
        files = [_find_font(name) for name in (regular, bold)]
        if files[0] is not None:
            others = tuple((name, path) for name, file in OTHERS if (path := _find_font(file)))
            return FontFiles(files[0], files[1] or files[0], others)
    raise Problem(
        N_("No font for PDF files was found."),
        N_("Run the set-up, which puts fonts into %(folder)s."),
        folder=FONTS,
    )


def _find_font(name: str) -> Path | None:
    if (FONTS / name).is_file():
        return FONTS / name
    return next(iter(sorted(SYSTEM_FONTS.rglob(name))), None)


class Face:
    """The widths of a font's simple characters, in thousandths of the font size."""

    def __init__(self, path: Path) -> None:
        # Slow to import, and only needed here.
        from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # noqa: PLC0415

        with TTFont(path, lazy=True) as font:
            glyphs = font.getBestCmap()
            scale = EM / font["head"].unitsPerEm
            metrics = font["hmtx"]
            self.widths = {
                chr(code): round(metrics[glyphs[code]][0] * scale)
                for first, last in SIMPLE_RANGES
                for code in range(first, last + 1)
                if code in glyphs
            }
            self._spaces = _combine_spaces(
                {char: round(metrics[glyphs[ord(char)]][0] * scale) for char in SPACES if ord(char) in glyphs}
            )

    def measure(self, text: str) -> int | None:
        """Return the width of a text, None if only a layout engine could tell."""
        try:
            return sum(map(self.widths.__getitem__, text))
        except KeyError:
            return None

    def estimate(self, text: str) -> int:
        """Return a width that the text hardly exceeds, whatever it holds."""
        return sum(self.widths.get(char) or _guess_width(char) for char in text)

    def get_space(self, width: int) -> str:
        """Return spaces that together are as wide as asked, as nearly as the font allows."""
        if width <= 0:
            return ""
        start = ""
        if width > EXACT_FROM + self.widths[" "]:  # an ordinary space, so that programs see where words end
            start, width = " ", width - self.widths[" "]
        ems = max(0, width - EXACT_FROM) // EM
        return start + "\u2003" * ems + self._spaces[width - ems * EM]


def _guess_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return round(EM * (0.8 if char < FIRST_WIDE else 1.25))


@cache
def get_face(path: Path) -> Face:
    """Return the widths of the font in this file, read once."""
    return Face(path)


def _combine_spaces(widths: dict[str, int]) -> list[str]:
    """Return for each width that needs no em space before it the spaces that come closest to it."""
    best: list[str | None] = [""] + [None] * (EXACT_FROM + EM)
    for width in range(1, EXACT_FROM + EM + 1):
        options = [
            before + char
            for char, step in widths.items()
            if step <= width and (before := best[width - step]) is not None
        ]
        best[width] = min(options, key=len) if options else None
    nearest = ""
    spaces = []
    for text in best:
        nearest = text if text is not None else nearest
        spaces.append(nearest)
    return spaces
