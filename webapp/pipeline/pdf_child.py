"""A short-lived process that draws pieces of a PDF: ``python -I pdf_child.py``, never imported by web.

It reads one JSON object a line: first ``{"stylesheet", "fonts"}``, then ``{"html", "pdf"}`` for each
piece, two paths. It answers each piece with a line: ``ok``, or ``error`` and why.

WeasyPrint gives memory back badly and can be made to loop by strange input, so it runs here, with
limits on memory and time, without our environment, and with a fetcher that knows nothing but fonts.
"""

import contextlib
import ctypes
import gc
import json
import logging
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

MEMORY_LIMIT = 1 << 30  # bytes of address space on top of what importing took
PIECE_SECONDS = 120  # a piece takes about one second
PDF_VERSION = "1.4"  # the last without object streams, so that pieces are easy to take apart


class AssetFetcher(URLFetcher):
    """Opens ``data:`` URLs and the given files; nothing else, and no redirects."""

    def __init__(self, files: list[str]) -> None:
        super().__init__(timeout=1, allowed_protocols=["data", "file"], allow_redirects=False)
        self._allowed = frozenset(Path(file).as_uri() for file in files)

    def fetch(self, url: str, headers: Any = None) -> Any:
        """Return the response; ValueError for any other URL, which WeasyPrint skips."""
        if not url.lower().startswith("data:") and url not in self._allowed:
            raise ValueError("This URL is not allowed in an export.")
        return super().fetch(url, headers)


def main() -> None:
    """Draw pieces until the parent closes the pipe."""
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    setup = json.loads(sys.stdin.readline())
    fetcher = AssetFetcher(setup["fonts"])
    fonts = FontConfiguration()
    stylesheet = CSS(string=setup["stylesheet"], url_fetcher=fetcher, font_config=fonts)
    gc.freeze()  # what stays anyway need not be looked at after each piece
    limit_memory()
    for line in sys.stdin:
        job = json.loads(line)
        signal.alarm(PIECE_SECONDS)
        try:
            draw(Path(job["html"]), Path(job["pdf"]), stylesheet, fetcher, fonts)
        except Exception as error:  # noqa: BLE001 - the parent decides what it means
            print(f"error {type(error).__name__}: {error}".replace("\n", " "), flush=True)  # noqa: T201
        else:
            print("ok", flush=True)  # noqa: T201
        signal.alarm(0)
        release_memory()


def draw(html: Path, pdf: Path, stylesheet: Any, fetcher: Any, fonts: Any) -> None:
    """Draw the pages of one HTML file."""
    page = HTML(string=html.read_text("utf-8"), url_fetcher=fetcher)
    page.write_pdf(pdf, stylesheets=[stylesheet], font_config=fonts, pdf_version=PDF_VERSION)


def release_memory() -> None:
    """Give back what a piece took: WeasyPrint leaves cycles, and the C library keeps freed memory."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def limit_memory() -> None:
    """Let this process fail, rather than the machine, if a piece takes all memory."""
    used = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_LIMIT, used + MEMORY_LIMIT))


if __name__ == "__main__":
    main()
