"""How the demo shop gets into the database: in short transactions, under ids taken beforehand."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select, text
from sqlalchemy.orm import Session

from webapp.database import write_transaction
from webapp.extensions import db, settings
from webapp.resources.base import Resource
from webapp.resources.derived import derived_columns
from webapp.resources.registry import get_resource
from webapp.services.bulk import add_to_column, insert_rows
from webapp.services.records import allocate_ids

Row = dict[str, Any]
Ids = dict[tuple[Any, ...], int]
ANALYSED_ROWS = 1_000  # of each index of SQLite: a fifth of a second with six million records
SMALLEST_BATCH, LARGEST_BATCH = 200, 20_000
PREFIXES = {"inflows": "IN", "outflows": "OUT"}


@dataclass
class Pace:
    """How many rows fit into one short transaction here: learnt from the batches before."""

    rows: int = 1_000

    def learn(self, seconds: float) -> None:
        """Aim at a little over half of what a transaction may take: the slowest ones take twice as long."""
        fitting = int(self.rows * 0.6 * settings().batch_seconds / max(seconds, 0.001))
        self.rows = max(SMALLEST_BATCH, min(LARGEST_BATCH, fitting, 2 * self.rows))


class Writer:
    """Inserts rows and counts them by resource."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def find_or_insert(self, session: Session, resource: Resource, rows: list[Row], moment: datetime) -> Ids:
        """Return the id of each row by its key: a shop without products may have categories already."""
        table = _table(resource)
        key = [resource.get_field(part).column for part in resource.key]
        folded = [f"{part}_key" if part == resource.reference_field else part for part in key]
        there = session.execute(select(table.c.id, *(table.c[part] for part in folded)))
        ids: Ids = {tuple(row[1:]): row[0] for row in there}
        for row in rows:
            row.update(derived_columns(resource, row))
        new = [row for row in rows if _pick(row, folded) not in ids]
        self.insert(session, resource, new, moment)
        ids.update({_pick(row, folded): row["id"] for row in new})
        return {_pick(row, key): ids[_pick(row, folded)] for row in rows}

    def insert(
        self, session: Session, resource: Resource, rows: Sequence[Row], moment: datetime | None = None
    ) -> None:
        """Insert rows under new ids, which are put into them. A movement was recorded when it happened."""
        if not rows:
            return
        table = _table(resource)
        for row, row_id in zip(rows, allocate_ids(session, table.name, len(rows)), strict=True):
            at = moment or row["occurred_at"]
            row.update(id=row_id, version=1, created_at=at, updated_at=at)
            if "search_text" not in row:
                row["reference"] = f"{PREFIXES[resource.name]}-{row_id}"
                row.update(derived_columns(resource, row))
        insert_rows(session, table, rows)
        self.counts[resource.name] += len(rows)


def move_stock(session: Session, deltas: Counter[int]) -> None:
    """Add to the quantities of products what came in less what went out."""
    add_to_column(session, _table(get_resource("products")), "quantity", deltas)


def gather_statistics() -> None:
    """Let the planner know what was loaded: PostgreSQL's autovacuum would look a minute later, SQLite never."""
    with write_transaction() as session:
        if db.engine.dialect.name == "sqlite":
            session.execute(text(f"PRAGMA analysis_limit = {ANALYSED_ROWS}"))
        session.execute(text("ANALYZE"))


def _table(resource: Resource) -> Table:
    table: Table = resource.model.__table__
    return table


def _pick(row: Row, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)
