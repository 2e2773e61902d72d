"""Two processes that draw pieces of a PDF, side by side but handed back in order."""

import json
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

CHILD = Path(__file__).with_name("pdf_child.py")
PROCESSES = 2
PIECES_PER_PROCESS = 16  # then a new one: each leaves half a megabyte behind


class PdfError(Exception):
    """WeasyPrint failed, or was not given the memory or the time."""


@dataclass
class _Piece:
    pdf: Path
    worker: "_Worker"
    deliver: Callable[[Path], None]


class PdfWorkers:
    """Draws HTML in children. Used as a context manager: it ends them and removes their files."""

    def __init__(self, stylesheet: str, fonts: list[Path]) -> None:
        self._setup = json.dumps({"stylesheet": stylesheet, "fonts": [str(font) for font in fonts]})
        self._stack = ExitStack()
        self._workers: list[_Worker] = []
        self._pieces: deque[_Piece] = deque()
        self._count = 0

    def __enter__(self) -> Self:
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="stockroom-pdf-")))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.kill()
        self._stack.close()

    def draw(self, html: str, deliver: Callable[[Path], None]) -> None:
        """Start drawing, and later hand the PDF to ``deliver``, after those that were asked for before.

        If all children are busy, this first waits for the oldest piece and delivers it.
        """
        if len(self._pieces) == PROCESSES:
            self._finish_oldest()
        worker = self._get_idle_worker()
        source = self._folder / f"{self._count}.html"
        source.write_text(html, "utf-8")
        piece = _Piece(source.with_suffix(".pdf"), worker, deliver)
        worker.start(source, piece.pdf)
        self._pieces.append(piece)
        self._count += 1

    def finish(self) -> None:
        """Deliver the pieces that are still being drawn."""
        while self._pieces:
            self._finish_oldest()

    def _finish_oldest(self) -> None:
        piece = self._pieces.popleft()
        piece.worker.wait()
        piece.deliver(piece.pdf)
        piece.pdf.unlink()
        piece.pdf.with_suffix(".html").unlink()

    def _get_idle_worker(self) -> "_Worker":
        """Return a child that draws nothing at present, a new one if there is none."""
        for worker in self._workers:
            if all(piece.worker is not worker for piece in self._pieces):
                if worker.pieces < PIECES_PER_PROCESS:
                    return worker
                worker.stop()
                self._workers.remove(worker)
                break
        self._workers.append(_Worker(self._setup, self._folder))
        return self._workers[-1]


class _Worker:
    """One child process."""

    def __init__(self, setup: str, folder: Path) -> None:
        # An isolated Python with an environment of its own: no secret of ours is near WeasyPrint.
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(folder), "TMPDIR": str(folder)},
            cwd=folder,
        )
        self.pieces = 0
        self._send(setup)

    def start(self, html: Path, pdf: Path) -> None:
        """Ask for a piece."""
        self.pieces += 1
        self._send(json.dumps({"html": str(html), "pdf": str(pdf)}))

    def _send(self, line: str) -> None:
        pipe = cast("IO[str]", self._process.stdin)
        try:
            pipe.write(line + "\n")
            pipe.flush()
        except BrokenPipeError:
            raise self._explain_death() from None

    def wait(self) -> None:
        """Wait for the piece that was asked for; PdfError if it was not drawn."""
        answer = cast("IO[str]", self._process.stdout).readline().strip()
        if answer.startswith("error"):
            raise PdfError(f"A page of the PDF could not be drawn: {answer.removeprefix('error ')}")
        if answer != "ok":
            raise self._explain_death()

    def _explain_death(self) -> PdfError:
        self._process.kill()
        return PdfError(f"The process that draws PDF pages ended with {self._process.wait()}.")

    def stop(self) -> None:
        """Let an idle child end by itself."""
        cast("IO[str]", self._process.stdin).close()
        self._process.wait()
        cast("IO[str]", self._process.stdout).close()

    def kill(self) -> None:
        """End the child at once, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
