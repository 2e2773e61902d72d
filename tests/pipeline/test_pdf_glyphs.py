"""What is shown in place of characters that cannot be drawn, and how many they are."""

import pytest

from webapp.pipeline.pdf_fonts import find_fonts
from webapp.pipeline.pdf_glyphs import Glyphs
from webapp.resources.types import Problem

NOBODYS = "\U0003fff0"  # a character that is none

try:
    FONTS = find_fonts().paths
except Problem as problem:
    pytest.skip(str(problem), allow_module_level=True)


@pytest.mark.parametrize(
    "text",
    ["plain", "ção €", "Ω λ", "→ ✓", "😀 🚀", "👨‍👩‍👧 ❤️", "e\u0301", "\u202eevil\u202c", "□ �", "two\nlines"],
)
def test_what_can_be_drawn_stays(text: str) -> None:
    glyphs = Glyphs(FONTS)
    assert glyphs.show(text) == text
    assert glyphs.notes == ()


def test_what_cannot_be_drawn_is_counted_each_time() -> None:
    glyphs = Glyphs(FONTS)
    assert glyphs.show(f"a{NOBODYS}b{NOBODYS}□") == "a□b□□"
    assert glyphs.show(NOBODYS) == "□"
    assert glyphs.show("tab\there\r\nbell\x07 \ud800�") == "tab here\nbell� ��"
    assert [note.params["count"] for note in glyphs.notes] == [2, 3]
