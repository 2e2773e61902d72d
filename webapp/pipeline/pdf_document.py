"""Pages as HTML, for WeasyPrint to draw. Everything is escaped; nothing but fonts is fetched."""

from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from webapp.pipeline.pdf_columns import GAP, MARGIN, PAGE_WIDTH, Layout
from webapp.pipeline.pdf_fonts import EM, Face, FontFiles, get_face
from webapp.pipeline.pdf_glyphs import Glyphs
from webapp.pipeline.pdf_lines import Block
from webapp.pipeline.pdf_merge import PLACEHOLDER
from webapp.pipeline.pdf_pages import Page
from webapp.pipeline.pdf_text import wrap
from webapp.pipeline.pdf_values import Formatter, get_translations
from webapp.pipeline.write_base import Column, ExportInfo
from webapp.resources.base import N_

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates" / "exports"
STYLESHEET = ROOT / "static" / "css" / "print.css"
TITLE_SIZE, TITLE_LINE = 17.0, 22.0  # points
META_SIZE, META_LINE = 8.0, 12.0
FOOTER_SIZE = 7.0
TITLE_GAP = 12.0  # below the title
HEAD_PADDING = 4.0  # above and below the labels of the columns
HEAD_GAP = 3.0  # between them and the first row
TOTALS_PADDING = 3.75  # above the totals, with their rule


class Document:
    """What all pages share: fonts, layout, the title, the head of the table, the words."""

    def __init__(self, info: ExportInfo, columns: Sequence[Column], layout: Layout, fonts: FontFiles) -> None:
        self.info = info
        self.layout = layout
        self.fonts = fonts
        self.glyphs = Glyphs(fonts.paths)
        self._face, self._bold = get_face(fonts.regular), get_face(fonts.bold)
        self.formatter = Formatter(info)
        self.head = Block(layout, self._bold)
        cells = [
            wrap(self.show(column.label), slot.width, self._bold)[0]
            for column, slot in zip(columns, layout.slots, strict=True)
        ]
        height = max(map(len, cells))
        blank = wrap("", 0, self._bold)[0]
        self.head.add([blank * (height - len(cell)) + tuple(cell) for cell in cells])

    def show(self, text: str) -> str:
        """Return a text as it can be drawn."""
        return self.glyphs.show(text)

    @cached_property
    def _translations(self) -> Any:
        return get_translations(self.info.language)

    def translate(self, message: str, **params: Any) -> str:
        """Return a text in the reader's language."""
        return str(self._translations.ugettext(message)) % params

    def get_page_label(self, number: int) -> str:
        """Return what stands before the number of pages, which is drawn last."""
        return self.translate(N_("Page %(number)s of"), number=number)

    @cached_property
    def title_lines(self) -> list[str]:
        """The title, wrapped to the page."""
        return self._wrap(self.info.title, TITLE_SIZE, self._bold)

    @cached_property
    def meta_lines(self) -> list[str]:
        """The filters, and when and for which zone the records were read."""
        filters = " · ".join(f"{name}: {value}" for name, value in self.info.filters)
        generated = self.translate(
            N_("Generated %(moment)s (%(zone)s)"),
            moment=self.formatter.format_moment(self.info.generated_at),
            zone=self.info.timezone,
        )
        words = (
            self.translate(N_("Filters: %(filters)s"), filters=filters)
            if filters
            else self.translate(N_("All records"))
        )
        return [*self._wrap(words, META_SIZE, self._face), generated]

    def _wrap(self, text: str, size: float, face: Face) -> list[str]:
        width = int((PAGE_WIDTH - 2 * MARGIN) / size * EM)
        return [line.text for line in wrap(self.show(text), width, face)[0]]

    @property
    def meta_top(self) -> float:
        """Where the lines below the title begin, in points from the top of the paper."""
        return MARGIN + len(self.title_lines) * TITLE_LINE

    @cached_property
    def footer(self) -> str:
        """The title, as far as it fits into the footer."""
        width = int((PAGE_WIDTH - 2 * MARGIN) / 2 / FOOTER_SIZE * EM)
        return wrap(self.show(self.info.title), width, self._face, limit=1)[0][0].text

    @property
    def title_height(self) -> float:
        """The height of all that is above the table on the first page, in points."""
        return len(self.title_lines) * TITLE_LINE + len(self.meta_lines) * META_LINE + TITLE_GAP

    @property
    def head_height(self) -> float:
        """The height of the table's head, in points."""
        return len(self.head) * self.layout.line_height + 2 * HEAD_PADDING + HEAD_GAP

    def get_stylesheet(self) -> str:
        """Return the CSS of all pages, with the fonts that it may use."""
        faces = [("Export", "normal", self.fonts.regular), ("Export", "bold", self.fonts.bold)]
        faces += [(f"Export {name}", "normal", path) for name, path in self.fonts.others]
        rules = [
            f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: url("{path.as_uri()}") }}'
            for family, weight, path in faces
        ]
        return "\n".join([*rules, STYLESHEET.read_text("utf-8")])

    def render(self, pages: Iterable[Page]) -> str:
        """Return the HTML of some pages."""
        return _render(
            "table.html",
            document=self,
            layout=self.layout,
            pages=pages,
            head_padding=HEAD_PADDING,
            totals_padding=TOTALS_PADDING,
            placeholder=PLACEHOLDER,
        )

    def render_total(self, pages: int) -> str:
        """Return the HTML of the number of pages, which stands on each of them."""
        return _render("total.html", document=self, pages=pages)

    def get_layers(self, block: Block) -> list[dict[str, Any]]:
        """Return the texts that need a box of their own: one a column, with its place in points."""
        layers = []
        for slot, texts in block.layers.items():
            first = min(texts)
            layers.append(
                {
                    "left": MARGIN + self.layout.to_points(slot.left),
                    "width": self.layout.to_points(slot.width + (0 if slot.is_right else GAP)),
                    "top": first * self.layout.line_height,
                    "is_right": slot.is_right,
                    "text": "\n".join(texts.get(line, "") for line in range(first, max(texts) + 1)),
                }
            )
        return layers


def _render(name: str, **values: Any) -> str:
    return str(_get_templates().get_template(name).render(values))


@cache
def _get_templates() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
