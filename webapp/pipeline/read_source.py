"""The bytes of a table: a path that the server made, or a binary file that can seek."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from webapp.pipeline.limits import Limits
from webapp.pipeline.problems import ReadProblem
from webapp.resources.base import N_

Source = str | os.PathLike[str] | BinaryIO


@contextmanager
def open_binary(source: Source) -> Iterator[BinaryIO]:
    """Open a path, or rewind a file; only what was opened here is closed again."""
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as file:
            yield file
    else:
        source.seek(0)
        yield source


def check_size(file: BinaryIO, limits: Limits) -> None:
    """Raise ReadProblem for a file of more bytes than allowed."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size > limits.max_bytes:
        raise ReadProblem(
            N_("The file has %(size)s bytes; at most %(limit)s are allowed."),
            N_("Split it into several files."),
            size=size,
            limit=limits.max_bytes,
        )
