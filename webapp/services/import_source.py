"""The rows of an import's file, read by the stored dialect and checked by the stored mapping."""

from collections.abc import Iterator
from typing import Any

from webapp.extensions import db, settings
from webapp.models import DataImport
from webapp.pipeline.ahead import work_ahead
from webapp.pipeline.check import CheckedRow, Checker, check_rows
from webapp.pipeline.dialect import Dialect
from webapp.pipeline.garbage import drop_cycles, rare_collections
from webapp.pipeline.read import read_table
from webapp.resources.registry import get_resource
from webapp.services import files
from webapp.services.import_examples import is_example
from webapp.services.import_inspect import read_limits
from webapp.services.import_mapping import check_mapping, mappable_fields
from webapp.services.import_words import understand_words

CHUNK_ROWS = 4_000  # as many as a batch may have


class RowSource:
    """The rows of one file, as values with their problems. Nothing here writes to the database."""

    has_old_errors = False
    chunk_rows = CHUNK_ROWS
    is_ahead = False  # a thread reads the next rows meanwhile: for who waits for a server most of the time

    def __init__(self, data_import: DataImport) -> None:
        self.import_id = data_import.id
        self.path = str(data_import.file_path)
        self.resource = get_resource(data_import.resource)
        self.fields = understand_words(mappable_fields(self.resource))
        self.dialect = Dialect.from_json(data_import.dialect or {})
        self.rules = check_mapping(data_import, data_import.mapping or {})
        self.styles = {name: self.dialect.get_style(name, settings().zone) for name in self.dialect.columns}
        self.options: dict[str, Any] = dict(data_import.options)
        self.examples = 0
        db.session.rollback()  # no transaction is open while the file is read

    def read(self, after_line: int = 0) -> Iterator[list[CheckedRow]]:
        """Yield the rows below a line, some thousand at a time; the template's example is left out."""
        checker = Checker(self.fields, self.rules, self.styles)
        with files.local_path(self.path) as local, rare_collections():
            table = read_table(local, dialect=self.dialect, limits=read_limits())
            chunks = map(checker.check_chunk, table.chunks(size=self.chunk_rows, start_line=after_line))
            is_first = not after_line
            for rows in work_ahead(chunks) if self.is_ahead else chunks:
                if is_first and rows and is_example(self.resource, rows[0]):
                    self.examples = 1
                    del rows[0]
                is_first = False
                yield rows
                drop_cycles()

    def check(self, records: list[tuple[int, dict[str, str]]]) -> list[CheckedRow]:
        """Return rows of text as values with their problems."""
        return check_rows(records, self.fields, self.rules, self.styles)
