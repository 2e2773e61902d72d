import io
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from tests.pipeline.write_samples import (
    COLUMNS,
    EMPTY_ROW,
    NAUGHTY,
    NAUGHTY_ROWS,
    PLAIN_ROWS,
    export,
    make_info,
)
from webapp.pipeline import pdf_workers, write_pdf
from webapp.pipeline.formats import Column, WriteProblem
from webapp.pipeline.pdf_text import clean
from webapp.pipeline.pdf_workers import PdfError
from webapp.resources.types import Text

ROOT = Path(__file__).parents[2]

REASON = write_pdf.pdf_unavailable_reason()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(REASON is not None, reason=str(REASON)),
    pytest.mark.skipif(
        shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed"
    ),
]


def run(program: str, data: bytes, *options: str) -> str:
    with_file = [program, *options, "-", *(["-"] if program == "pdftotext" else [])]
    return subprocess.run(with_file, input=data, capture_output=True, check=True).stdout.decode()


def read_pages(data: bytes) -> list[str]:
    return run("pdftotext", data, "-layout").split("\f")[:-1]


def squash(text: str) -> str:
    return "".join(text.split())


@pytest.fixture(scope="module")
def small() -> bytes:
    return export("pdf", PLAIN_ROWS[:100], timezone="America/Sao_Paulo", language="pt_BR")[0]


def test_the_first_page_says_what_it_is(small: bytes) -> None:
    first = read_pages(small)[0]
    assert first.splitlines()[0].strip() == "Products"
    assert "Category: Tools & <Parts>" in first
    assert "23 de nov. de 2026 12:30 (America/Sao_Paulo)" in first


def test_every_page_has_the_head_and_its_number(small: bytes) -> None:
    pages = read_pages(small)
    assert len(pages) == 3
    for number, page in enumerate(pages, start=1):
        assert re.search(r"Serial number\s+Title\s+Description\s+Category", page)
        assert re.search(rf"{number} (of|de) {len(pages)}", page)


def test_every_record_is_there_once_and_in_order(small: bytes) -> None:
    found = re.findall(r"^ *(SN-\d+)", "\n".join(read_pages(small)), re.MULTILINE)
    assert found == [row[0] for row in PLAIN_ROWS[:100]]


def test_numbers_are_in_the_language_of_the_reader_and_added_up(small: bytes) -> None:
    last = read_pages(small)[-1]
    assert re.search(r"SN-00099 .* 12,375 +99 +1 de jul. de 2026 09:00", last)
    total = f"{sum(row[6] for row in PLAIN_ROWS[:100]):.3f}".replace(".", ",")
    assert re.search(rf"Total +{total} +4\.950", last)


def test_numbers_are_right_aligned(small: bytes) -> None:
    words = re.findall(r'xMax="([\d.]+)" yMax="[\d.]+">(\d+,\d{3})<', run("pdftotext", small, "-bbox"))
    ends = {round(float(end), 1) for end, _ in words}
    assert len(words) == 101
    assert max(ends) - min(ends) <= 0.2


def test_fonts_are_embedded(small: bytes) -> None:
    if shutil.which("pdffonts") is None:
        pytest.skip("pdffonts (poppler-utils) is not installed")
    fonts = run("pdffonts", small).splitlines()[2:]
    assert fonts
    assert all(re.search(r" yes +yes +yes ", line) for line in fonts)


def test_other_programs_read_the_file(small: bytes) -> None:
    reader = PdfReader(io.BytesIO(small), strict=True)
    assert len(reader.pages) == 3
    assert reader.metadata is not None
    assert reader.metadata.title == "Products"
    assert str(reader.root_object["/Lang"]) == "pt-BR"
    assert "SN-00000" in reader.pages[0].extract_text()


def test_every_naughty_text_is_shown() -> None:
    column = Column("text", "Text", Text(20_000))
    rows = [(text,) for text in NAUGHTY]
    data, result = export("pdf", rows, {"long_text": "full"}, columns=(column,))
    assert [str(note).partition(":")[0] for note in result.notes] == [
        "Invalid characters, replaced by “\ufffd”",
        "Characters for which there is no font, shown as “□”",
    ]
    text = squash("".join(re.sub(r"\s+Page \d+ of .*", "", page) for page in read_pages(data)))
    for naughty in NAUGHTY:
        expected = squash(clean(naughty)).replace("\ue000", "□")
        if re.search("[\u0590-\u06ff\u202e\u200b\ufeff\U0001f1e6-\U0001ffff]", naughty):
            continue  # shown, but extracted in an order or with signs of the program's own
        assert expected in text.replace("Text", ""), naughty


def test_long_texts_are_shortened_and_said_so() -> None:
    data, result = export("pdf", NAUGHTY_ROWS)
    assert str(result.notes[0]) == "Long texts shortened to 6 lines, ending in “…”: 5."
    assert str(result.notes[0]) in read_pages(data)[-1]


def test_emoji_are_drawn_and_what_no_font_has_is_counted() -> None:
    column = Column("text", "Text", Text())
    rows = [("drill 🪛 rocket 🚀",), ("nobody has \U0003fff0 or \U0003fff1",), ("broken \ud800 text\x07",)]
    data, result = export("pdf", rows, columns=(column,))
    assert [str(note) for note in result.notes] == [
        "Invalid characters, replaced by “\ufffd”: 2.",
        "Characters for which there is no font, shown as “□”: 2.",
    ]
    text = "\n".join(read_pages(data))
    assert "drill 🪛 rocket 🚀" in text
    assert "nobody has □ or □" in text
    assert str(result.notes[1]) in text
    if shutil.which("pdffonts"):
        assert "Export-Emoji" in run("pdffonts", data)


def test_a_table_without_rows() -> None:
    data, result = export("pdf", [])
    assert result.rows == 0
    (page,) = read_pages(data)
    assert "There are no records." in page
    assert "Page 1 of 1" in page


def test_missing_values_are_blank() -> None:
    data, _ = export("pdf", [EMPTY_ROW])
    assert "None" not in read_pages(data)[0]


def test_pieces_are_put_together_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_pdf, "PAGES_PER_PIECE", 1)
    monkeypatch.setattr(pdf_workers, "PIECES_PER_PROCESS", 2)
    data, _ = export("pdf", PLAIN_ROWS[:190])
    pages = read_pages(data)
    assert [re.findall(r"Page (\d+) of (\d+)", page) for page in pages] == [
        [(str(number), str(len(pages)))] for number in range(1, len(pages) + 1)
    ]
    found = re.findall(r"^ *(SN-\d+)", "\n".join(pages), re.MULTILINE)
    assert found == [row[0] for row in PLAIN_ROWS[:190]]
    assert len(PdfReader(io.BytesIO(data), strict=True).pages) == len(pages)


class Listener:
    """A port of this machine that counts who connects."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    yield server
    server.close()


def make_hostile(url: str) -> str:
    return (
        f'<img src="{url}"><link rel="stylesheet" href="{url}"><link rel="attachment" href="{url}">'
        f'<style>@import url("{url}"); p {{ background: url("{url}") }} '
        f'@font-face {{ font-family: x; src: url("{url}") }}</style><p style="font-family: x">hostile</p>'
        f'<svg><image href="{url}"/></svg><object data="{url}"></object>'
    )


def test_markup_in_a_record_reads_no_file_and_opens_no_connection(listener: Listener, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP-SECRET")
    urls = [secret.as_uri(), f"http://127.0.0.1:{listener.port}/", "//127.0.0.1:1/"]
    rows = [(make_hostile(url),) for url in urls]
    data, _ = export(
        "pdf", rows, {"long_text": "full"}, (Column("a", make_hostile(urls[0]), Text()),), title=make_hostile(urls[1]),
        filters=((make_hostile(urls[0]), make_hostile(urls[1])),),
    )  # fmt: skip
    assert listener.connections == 0
    reader = PdfReader(io.BytesIO(data))
    assert not reader.attachments
    assert "TOP-SECRET" not in "".join(read_pages(data))
    assert "hostile" in "".join(read_pages(data))


def make_fetcher(files: list[str]) -> Any:
    """Return the children's own fetcher; importing its module imports WeasyPrint."""
    return import_module("webapp.pipeline.pdf_child").AssetFetcher(files)


def test_the_fetcher_allows_data_and_the_given_files_only(listener: Listener, tmp_path: Path) -> None:
    allowed, other = tmp_path / "font.ttf", tmp_path / "other.txt"
    allowed.write_text("font")
    other.write_text("secret")
    fetcher = make_fetcher([str(allowed)])
    assert fetcher.fetch(allowed.as_uri()).read() == b"font"
    assert fetcher.fetch("data:text/plain,hello").read() == b"hello"
    for url in (
        other.as_uri(),
        allowed.as_uri() + "/../other.txt",
        allowed.as_uri() + "?x",
        "file:///etc/passwd",
        f"http://127.0.0.1:{listener.port}/",
        f"https://127.0.0.1:{listener.port}/",
        f"ftp://127.0.0.1:{listener.port}/",
        "relative.png",
    ):
        with pytest.raises(ValueError, match="not allowed"):
            fetcher.fetch(url)
    assert listener.connections == 0


def test_hostile_html_reaches_nothing_even_unescaped(listener: Listener, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP-SECRET")
    html = "".join(make_hostile(url) for url in (secret.as_uri(), f"http://127.0.0.1:{listener.port}/"))
    weasyprint = import_module("weasyprint")
    page = weasyprint.HTML(string=html, url_fetcher=make_fetcher([]), base_url=str(tmp_path))
    data = page.write_pdf()
    assert listener.connections == 0
    assert not PdfReader(io.BytesIO(data)).attachments


class Recorder:
    """Keeps the children that were started."""

    def __init__(self) -> None:
        self.children: list[subprocess.Popen[str]] = []
        self.environments: list[dict[str, str]] = []
        self.folders: set[Path] = set()
        self._start = subprocess.Popen

    def __call__(self, *args: Any, **options: Any) -> subprocess.Popen[str]:
        self.environments.append(options["env"])
        self.folders.add(Path(options["cwd"]))
        child = self._start(*args, **options)
        self.children.append(child)
        return child


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(subprocess, "Popen", recorder)
    return recorder


def test_a_cancelled_export_leaves_no_process_and_no_file(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_pdf, "PAGES_PER_PIECE", 1)
    monkeypatch.setattr(write_pdf, "SAMPLE_ROWS", 10)

    class Cancelled(Exception):
        pass

    def batches() -> Iterator[Any]:
        yield PLAIN_ROWS[:150]
        raise Cancelled

    with pytest.raises(Cancelled):
        write_pdf.write(batches(), COLUMNS, io.BytesIO(), make_info(), {"long_text": "shorten"})
    assert len(recorder.children) == 2
    assert all(child.poll() is not None for child in recorder.children)
    assert not any(folder.exists() for folder in recorder.folders)


def test_children_inherit_no_secret(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "top-secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:password@host/db")
    export("pdf", PLAIN_ROWS[:3])
    assert [set(environment) for environment in recorder.environments] == [
        {"PATH", "LANG", "HOME", "TMPDIR"} for _ in recorder.children
    ]
    assert "top-secret" not in str(recorder.environments)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raise SystemExit(3)", "ended with 3"),
        (
            "import sys; sys.stdin.readline(); sys.stdin.readline(); print('error ValueError: no')",
            "ValueError: no",
        ),
        (
            "import os, signal, sys; sys.stdin.readline(); os.kill(os.getpid(), signal.SIGKILL)",
            "ended with -9",
        ),
    ],
)
def test_a_child_that_fails_is_an_error(
    program: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = tmp_path / "child.py"
    child.write_text(program)
    monkeypatch.setattr(pdf_workers, "CHILD", child)
    with pytest.raises(PdfError, match=message):
        export("pdf", PLAIN_ROWS[:3])


def test_missing_libraries_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_pdf, "_has_library", lambda name, _: "pango" not in name)
    write_pdf.pdf_unavailable_reason.cache_clear()
    try:
        assert str(write_pdf.pdf_unavailable_reason()) == (
            "PDF needs system libraries that are missing: pango-1.0, pangoft2-1.0. Install the packages "
            "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 and restart the worker."
        )
        with pytest.raises(WriteProblem, match="libpangoft2"):
            export("pdf", PLAIN_ROWS[:3])
    finally:
        write_pdf.pdf_unavailable_reason.cache_clear()


def test_availability_is_known_without_importing_weasyprint() -> None:
    code = (
        "import sys; from webapp.pipeline.write_pdf import pdf_unavailable_reason;"
        "print(pdf_unavailable_reason(), 'weasyprint' in sys.modules, 'fontTools' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["None", "False", "False"]


@pytest.mark.slow
def test_thousands_of_rows_in_flat_memory() -> None:
    rows = PLAIN_ROWS * 4
    data, result = export("pdf", rows, total=len(rows))
    assert result.rows == len(rows)
    pages = read_pages(data)
    numbers = [re.findall(r"Page (\d+) of (\d+)", page) for page in pages]
    assert numbers == [[(str(number), str(len(pages)))] for number in range(1, len(pages) + 1)]
    assert sum(len(re.findall(r"^ *SN-\d+", page, re.MULTILINE)) for page in pages) == len(rows)
    total = sum((row[6] for row in rows), Decimal(0))
    assert f"{total:,.3f}" in pages[-1]
