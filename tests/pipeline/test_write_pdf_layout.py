from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.write_samples import COLUMNS, make_info
from webapp.pipeline.pdf_columns import GAP, Layout, build_layout
from webapp.pipeline.pdf_document import Document
from webapp.pipeline.pdf_fonts import EM, EXACT_FROM, SPACES, Face, find_fonts, get_face
from webapp.pipeline.pdf_lines import Block
from webapp.pipeline.pdf_pages import Page, Paginator
from webapp.pipeline.pdf_text import ELLIPSIS, Line, clean, wrap
from webapp.pipeline.pdf_values import Formatter
from webapp.pipeline.write_base import Column
from webapp.resources.types import DateTime, Integer, Money, Text

FONTS = find_fonts()
FACE, BOLD = get_face(FONTS.regular), get_face(FONTS.bold)


def make_layout(columns: Sequence[Column], row: list[str], totals: list[str] | None = None) -> Layout:
    return build_layout(columns, [row], totals or [""] * len(row), FACE, BOLD)


def squash(text: str) -> str:
    return "".join(text.split())


def test_our_own_fonts_are_used() -> None:
    assert {path.parent.name for path in FONTS.paths} == {"fonts"}
    assert FACE.measure("0123456789") == 5720
    assert FACE.measure("漢字") is None


def test_without_our_fonts_those_of_the_system_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("webapp.pipeline.pdf_fonts.FONTS", tmp_path)
    monkeypatch.setattr("webapp.pipeline.pdf_fonts.SYSTEM_FONTS", FONTS.regular.parent)
    assert find_fonts() == FONTS


@given(st.integers(EXACT_FROM, 100_000))
def test_spaces_are_exact(width: int) -> None:
    space = FACE.get_space(width)
    assert set(space) <= set(SPACES)
    assert abs((FACE.measure(space) or _measure_spaces(space)) - width) == 0


def _measure_spaces(space: str) -> int:
    widths = dict(zip(SPACES, (1000, 500, 333, 250, 167, 166, 100, 222, 260), strict=True))
    return sum(widths[char] for char in space)


@given(st.text(), st.integers(EM, 50 * EM))
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    text = clean(text)
    lines, is_shortened = wrap(text, width, FACE)
    assert not is_shortened
    assert squash("".join(line.text for line in lines)) == squash(text)


@given(st.text(alphabet="ab iW.é\n"), st.integers(2 * EM, 50 * EM), st.integers(1, 6))
def test_lines_fit_and_end_in_an_ellipsis_if_shortened(text: str, width: int, limit: int) -> None:
    lines, is_shortened = wrap(text, width, FACE, limit)
    assert len(lines) <= limit
    assert all(line.width is not None and line.width <= width for line in lines)
    assert lines[-1].text.endswith(ELLIPSIS) == is_shortened
    assert is_shortened == (len(wrap(text, width, FACE)[0]) > limit)


def test_a_very_long_text_is_wrapped_quickly_and_whole() -> None:
    lines, _ = wrap("x" * 10_000, 20 * EM, FACE)
    assert "".join(line.text for line in lines) == "x" * 10_000


def test_control_characters_become_visible() -> None:
    assert clean("a\x00b\tc\r\nd\ud800") == "a\ufffdb c\nd\ufffd"


def test_cells_stand_at_their_place() -> None:
    layout = make_layout(COLUMNS[5:8], ["sale", "1.00", "12"])
    block = Block(layout, FACE)
    block.add([wrap(text, 9 * EM, FACE)[0] for text in ("sale", "7.50", "3")])
    line = block.lines[0]
    for text, slot in (("7.50", layout.slots[1]), ("3", layout.slots[2])):
        end = line.index(text) + len(text)
        assert abs(_measure_line(line[:end]) - (slot.left + slot.width)) <= 1


def _measure_line(text: str) -> int:
    spaces = "".join(char for char in text if char in SPACES)
    return _measure_spaces(spaces) + (FACE.measure("".join(c for c in text if c not in SPACES)) or 0)


def test_a_cell_of_unknown_width_gets_a_layer() -> None:
    layout = make_layout(COLUMNS[:2], ["שלום", "abc"])
    block = Block(layout, FACE)
    block.add([(Line("", 0),), (Line("abc", 1500),)])
    block.add([(Line("שלום", None),), (Line("abc", 1500),)])
    assert block.layers == {layout.slots[0]: {1: "שלום"}}
    assert block.lines[1].strip() == "abc"


@pytest.mark.parametrize("copies", [1, 2, 4])
def test_columns_never_leave_the_page(copies: int) -> None:
    row = [
        "SN-00000001",
        "A title " * 9,
        "words " * 200,
        "Tools",
        "a@example.com",
        "sale",
        "1.00",
        "12",
        "Nov 23",
    ]
    layout = make_layout(COLUMNS * copies, row * copies)
    last = layout.slots[-1]
    assert last.left + last.width <= layout.width
    assert all(slot.width >= EM for slot in layout.slots)
    for before, after in zip(layout.slots, layout.slots[1:], strict=False):
        assert after.left - before.left - before.width == GAP


def test_totals_have_room_in_their_columns() -> None:
    layout = make_layout(COLUMNS[6:8], ["1.00", "1"], ["1,234,567.89", "12,345,678"])
    for slot, total in zip(layout.slots, ["1,234,567.89", "12,345,678"], strict=True):
        assert slot.width >= (BOLD.measure(total) or 0)


def test_many_columns_make_the_font_smaller() -> None:
    row = ["some words"] * len(COLUMNS)
    sizes = [make_layout(COLUMNS * n, row * n).size for n in (1, 2, 3)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]


def make_paginator() -> Paginator:
    layout = make_layout(COLUMNS[:1], ["abc"])
    return Paginator(layout, FACE, BOLD, title_height=50, head_height=20)


def lay_out(heights: list[int]) -> list[Page]:
    paginator = make_paginator()
    pages = [
        page
        for number, height in enumerate(heights)
        for page in paginator.add([tuple(Line(f"{number}.{line}", 0) for line in range(height))])
    ]
    return [*pages, *paginator.finish([(Line("Total", 0),)], ("A remark.",))]


@given(st.lists(st.integers(1, 120), max_size=60))
def test_pages_hold_every_line_once_and_only_tall_rows_are_parted(heights: list[int]) -> None:
    pages = lay_out(heights)
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    lines = [line for page in pages for line in page.body.lines]
    assert lines == [f"{number}.{line}" for number, height in enumerate(heights) for line in range(height)]
    assert pages[-1].totals is not None
    for number, height in enumerate(heights):
        first = [page.number for page in pages if f"{number}.0" in page.body.lines]
        last = [page.number for page in pages if f"{number}.{height - 1}" in page.body.lines]
        assert height > 30 or first == last


@pytest.mark.parametrize(
    ("language", "amount", "count", "moment"),
    [
        ("en", "-1,234.50", "12,345", "Nov 23, 2026, 12:30\u202fPM"),
        ("pt_BR", "-1.234,50", "12.345", "23 de nov. de 2026 12:30"),
        ("pt-BR", "-1.234,50", "12.345", "23 de nov. de 2026 12:30"),
        ("pt_PT", "-1\u00a0234,50", "12\u00a0345", "23/11/2026, 12:30"),
        ("hi", "-1,234.50", "12,345", None),
    ],
)
def test_values_are_written_as_the_language_does(
    language: str, amount: str, count: str, moment: str | None
) -> None:
    info = make_info(language=language, timezone="America/Sao_Paulo")
    formatter = Formatter(info)
    assert formatter.format(Decimal("-1234.5000"), Money()) == amount
    assert formatter.format(12345, Integer()) == count
    assert moment in (None, formatter.format(info.generated_at, DateTime()))
    assert formatter.format(None, Money()) == ""
    assert formatter.format("=1", Text()) == "=1"


def test_amounts_of_a_column_have_the_same_decimals() -> None:
    formatter = Formatter(make_info())
    assert [formatter.format(Decimal(text), Money(), 3) for text in ("1", "1.25", "1.2345")] == [
        "1.000",
        "1.250",
        "1.2345",
    ]


def test_a_face_is_read_once() -> None:
    assert get_face(FONTS.regular) is FACE
    assert isinstance(FACE, Face)
    assert Column("a", "A", Text()).label == "A"


def test_words_come_from_the_catalogue_of_the_language(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "pt_BR" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    catalog = Catalog(locale="pt_BR")
    catalog.add("Page %(number)s of", "Página %(number)s de")
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, catalog)
    monkeypatch.setattr("webapp.pipeline.pdf_values.TRANSLATIONS", tmp_path)
    layout = make_layout(COLUMNS[:1], ["abc"])
    labels = [
        Document(make_info(language=language), COLUMNS[:1], layout, FONTS).get_page_label(3)
        for language in ("pt_BR", "pt-BR", "en")
    ]
    assert labels == ["Página 3 de", "Página 3 de", "Page 3 of"]
