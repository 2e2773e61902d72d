"""How one file writes its table. Decided once, when the file is inspected; stored; never guessed again."""

from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, tzinfo
from typing import Any, Self

from webapp.pipeline.problems import Notice
from webapp.resources.types import Style


@dataclass(frozen=True)
class Dialect:
    """What was detected about a file, or decided by a person in its place.

    ``kind`` is one of csv, xlsx, json, ndjson. ``encoding`` is a Python codec; with ``mixed`` some
    lines break it, and their rows are reported. ``quote`` and ``escape`` are empty where the file
    has none; ``padded`` means blanks after each delimiter. Lines are physical and count from 1;
    ``footer_line`` is where the rows end, 0 where they go on to the end of the file.

    ``date_order`` is None when nothing in the file tells day from month. ``decimals`` and
    ``date_orders`` name the columns that differ from the file as a whole; there, too, an order of
    None means that a person must say. ``rows`` counts the records below the header.
    """

    kind: str = "csv"
    encoding: str = "utf-8"
    mixed: bool = False
    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    padded: bool = False
    header_line: int = 1
    footer_line: int = 0
    decimal: str = "."
    date_order: str | None = "ymd"
    decimals: dict[str, str] = field(default_factory=dict)
    date_orders: dict[str, str | None] = field(default_factory=dict)
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: int = 0
    notices: tuple[Notice, ...] = ()

    def get_decimal(self, column: str) -> str:
        """Return the decimal sign of a column."""
        return self.decimals.get(column, self.decimal)

    def get_date_order(self, column: str) -> str | None:
        """Return the order of day and month in a column; None when a person must say."""
        return self.date_orders.get(column, self.date_order)

    def get_style(self, column: str, timezone: tzinfo = UTC) -> Style:
        """Return the style in which field types parse a column.

        Ask ``get_date_order`` first: an order that nobody knows is taken for ``dmy`` here.
        """
        return Style(self.get_decimal(column), self.get_date_order(column) or "dmy", timezone)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for a JSON column."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the dialect that ``to_json`` wrote; unknown names, of a newer version, are ignored."""
        known = {one.name for one in fields(cls)}
        values: dict[str, Any] = {name: value for name, value in data.items() if name in known}
        for name, value in values.items():
            values[name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)
