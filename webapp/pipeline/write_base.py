"""What every writer takes and gives back.

A writer is a function ``write(batches, columns, file, info, options) -> WriteResult``. It asks for
one batch at a time and keeps none, so its memory does not depend on the number of rows. The caller
reports progress, and cancels by raising, inside that iteration; a writer lets exceptions through.

A row holds a value for each column, None where there is none: text, whole numbers, moments with their
zone, and exact amounts: ``int`` counts ten-thousandths, and there is Decimal, or its text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, BinaryIO, Protocol
from zoneinfo import ZoneInfo

from webapp.resources.types import FieldType, Problem

Row = tuple[Any, ...]
Batch = Sequence[Row]


@dataclass(frozen=True)
class Column:
    """One column of the file: ``name`` heads it for machines, ``label`` for people (in a PDF)."""

    name: str
    label: str
    type: FieldType


@dataclass(frozen=True)
class ExportInfo:
    """What a file says about itself.

    ``title``, the labels and the filters (pairs of label and value) come in the language of the
    reader. ``total`` is the number of rows to come, where it is known beforehand.
    """

    resource: str
    title: str
    filters: tuple[tuple[str, str], ...]
    generated_at: datetime
    language: str = "en"
    timezone: str = "UTC"
    total: int | None = None

    @property
    def zone(self) -> tzinfo:
        """The zone in which people read moments."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True)
class Note:
    """Something that the reader of the file should know; a translatable text and its values."""

    message: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message % self.params


@dataclass(frozen=True)
class WriteResult:
    """``rows`` is the number of records written, without header and totals."""

    rows: int
    notes: tuple[Note, ...] = ()


class WriteProblem(Problem):
    """The records cannot be written in this format; trying again would not help."""


class Writer(Protocol):
    """The function that each ``write_*`` module offers."""

    def __call__(
        self,
        batches: Iterable[Batch],
        columns: Sequence[Column],
        file: BinaryIO,
        info: ExportInfo,
        options: Mapping[str, Any],
    ) -> WriteResult:
        """Write all rows to ``file``, which stays open; WriteProblem when they cannot be."""
        ...
