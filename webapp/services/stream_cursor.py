"""A cursor of PostgreSQL's driver that takes rows as the server sends them, and keeps only a few.

A cursor on the server would let it rest between two fetches, and would make it choose a plan that is
good for the first rows alone (measured with 100,000 products: 0.38 s; 0.17 s like this).
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, Self

from psycopg import Cursor, capabilities

CHUNK_ROWS = 2000 if capabilities.has_stream_chunked() else 1


class StreamCursor(Cursor[tuple[Any, ...]]):
    """Runs one query at a time; ``fetchmany`` takes its rows off the connection, which is busy until the end."""

    _stream: Any = None
    _rows: Iterator[tuple[Any, ...]] = iter(())

    def execute(self, query: Any, params: Any = None, **_options: Any) -> Self:
        """Start a query and wait for its first row."""
        self._leave()
        self._stream = self.stream(query, params, size=CHUNK_ROWS)
        self._rows = chain(list(islice(self._stream, 1)), self._stream)
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, None when there is none."""
        return next(self._rows, None)

    def fetchmany(self, size: int = CHUNK_ROWS) -> list[tuple[Any, ...]]:
        """Return the next rows; an empty list when there are no more."""
        return list(islice(self._rows, size))

    def close(self) -> None:
        """Leave the query, however far it is."""
        self._leave()
        super().close()

    def _leave(self) -> None:
        if self._stream is not None:
            self._stream.close()
